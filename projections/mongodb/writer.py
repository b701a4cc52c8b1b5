"""Write the documents of one collection: read what is needed, fold, write what did not change meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, wait
from functools import partial
from typing import Any, NamedTuple

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference, ReplaceOne
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure

from projections.fold import NOTHING, GroupedWrites, StoredDocument, fold
from projections.model import Collection, ReadModel
from projections.mongodb.documents import POSITION, from_stored, to_stored
from projections.mongodb.model_registry import GenerationId, collection_name
from projections.recent_documents import RecentDocuments
from projections.store import StoreUnavailableError
from projections.writes import Delete, Document, Put, PutOnce, Write

_ATTEMPTS = 32
_READ_AT_ONCE = 1_000
_TRANSACTION_BYTES = 8 * 1024 * 1024
_DUPLICATE_KEY = 11_000
_NO_TRANSACTIONS = 20  # IllegalOperation: the server is not a member of a replica set

Task = Callable[[], None]

Writes = Mapping[str, Sequence[tuple[int, Write]]]
"""The writes to each document, in order."""


class _ChangedDocument(NamedTuple):
    id: str
    before: StoredDocument
    after: StoredDocument
    raw: bytes


class CollectionWriter:
    """Apply writes to a collection that other processes may write to at the same time.

    Each document is inserted, or replaced only at the position with which it was read; one that another
    process has moved is read again. Therefore the result is always the fold of the stored document and of
    newer writes.
    """

    def __init__(self, database: Database[Document], collection: Collection, name: str, cache: int) -> None:
        """Write to the MongoDB collection *name*; remember what was written last, up to *cache* bytes."""
        self._stored: MongoCollection[Document] = database.get_collection(
            name, read_preference=ReadPreference.PRIMARY
        )
        self._name = collection.name
        self._text = collection.text
        self._recent = RecentDocuments(cache)
        self._transactions = True

    def write(self, documents: Writes) -> None:
        """Apply the writes to each document.

        Raises StoreUnavailableError if other processes keep changing the documents.
        """
        remaining, assumed = documents, True
        for _ in range(_ATTEMPTS):
            changed = self._changed(remaining, self._known(remaining) if assumed else self._read(remaining))
            lost = self._save(changed)
            if not lost:
                return
            remaining, assumed = {id_: documents[id_] for id_ in lost}, False
        raise StoreUnavailableError(
            f"{len(remaining)} documents of {self._name} change faster than they are written"
        )

    def _known(self, documents: Writes) -> dict[str, StoredDocument]:
        """Return what is remembered, and read the rest, except documents that are written as a whole.

        Those are assumed to be new. Mostly they are; otherwise the insert fails and they are read.
        """
        known: dict[str, StoredDocument] = {}
        unknown = []
        for id_, writes in documents.items():
            recent = self._recent.get(id_)
            if recent is not None:
                known[id_] = recent
            elif type(writes[0][1]) not in (Put, PutOnce, Delete):
                unknown.append(id_)
        return known | self._read(unknown)

    def _read(self, ids: Sequence[str] | Writes) -> dict[str, StoredDocument]:
        wanted = list(ids)
        stored: dict[str, StoredDocument] = {}
        for start in range(0, len(wanted), _READ_AT_ONCE):
            chunk = wanted[start : start + _READ_AT_ONCE]
            for raw in self._stored.find({"_id": {"$in": chunk}}, batch_size=_READ_AT_ONCE):
                stored[raw["_id"]] = from_stored(raw)
        return stored

    def _changed(self, documents: Writes, stored: Mapping[str, StoredDocument]) -> list[_ChangedDocument]:
        changed = []
        for id_, writes in documents.items():
            before = stored.get(id_, NOTHING)
            after = fold(before, writes)
            if after.position != before.position:
                raw = bson.encode(to_stored(id_, after, self._text))
                changed.append(_ChangedDocument(id_, before, after, raw))
        return changed

    def _save(self, changed: Sequence[_ChangedDocument]) -> list[str]:
        """Write what has changed; return the ids of documents that another process may have changed."""
        if not changed:
            return []
        inserted = [change for change in changed if change.before.position == 0]
        replaced = [change for change in changed if change.before.position != 0]
        lost = self._insert(inserted)
        if self._replace(replaced) != len(replaced):
            lost += [change.id for change in replaced]
        self._remember(changed, set(lost))
        return lost

    def _insert(self, changed: Sequence[_ChangedDocument]) -> list[str]:
        """Insert documents; return the ids of those that exist already."""
        if not changed:
            return []
        try:
            self._stored.insert_many([RawBSONDocument(change.raw) for change in changed], ordered=False)
        except BulkWriteError as error:
            return [changed[index].id for index in sorted(_duplicates(error))]
        return []

    def _replace(self, changed: Sequence[_ChangedDocument]) -> int:
        """Replace documents that are still at the positions that were read; return how many were replaced.

        One transaction saves time on servers that wait for the disk after each update. It is needed for
        nothing else: without transactions, or if another writer is in the way, each update stands for itself.
        """
        if not changed:
            return 0
        updates = [_replacement(change) for change in changed]
        if self._transactions and len(changed) > 1 and _size(changed) < _TRANSACTION_BYTES:
            try:
                return self._in_transaction(updates)
            except OperationFailure as error:
                self._transactions = error.code != _NO_TRANSACTIONS
                if self._transactions and not error.has_error_label("TransientTransactionError"):
                    raise
        return self._stored.bulk_write(updates, ordered=False).matched_count

    def _in_transaction(self, updates: Sequence[ReplaceOne[Any]]) -> int:
        concern = self._stored.write_concern
        with (
            self._stored.database.client.start_session() as session,
            session.start_transaction(write_concern=concern, read_preference=ReadPreference.PRIMARY),
        ):
            return self._stored.bulk_write(updates, ordered=False, session=session).matched_count

    def _remember(self, changed: Sequence[_ChangedDocument], lost: set[str]) -> None:
        for change in changed:
            if change.id in lost:
                self._recent.drop(change.id)
            else:
                self._recent.put(change.id, change.after, len(change.raw))


class GenerationWriter:
    """Write to one generation of a model."""

    def __init__(
        self, database: Database[Document], model: ReadModel, generation: GenerationId, cache: int
    ) -> None:
        """Write to the collections of *generation*, each of which remembers up to *cache* bytes."""
        self.model = model
        self.id = generation
        self._database = database
        self._cache = cache
        self._collections = {collection.name: collection for collection in model.collections}
        self._writers = {name: self._new_writer(name) for name in self._collections}

    def check(self, grouped: GroupedWrites) -> None:
        """Raise ValueError where a collection is not the model's."""
        for collection in grouped:
            if collection not in self._writers:
                raise ValueError(f"{collection} is not a collection of {self.model.name}")

    def tasks(self, grouped: GroupedWrites) -> list[Task]:
        """Return the tasks that apply the writes, one for each collection."""
        return [partial(self._write, collection, documents) for collection, documents in grouped.items()]

    def _write(self, collection: str, documents: Writes) -> None:
        """Apply writes; after an error, nothing of the collection is remembered."""
        try:
            self._writers[collection].write(documents)
        except BaseException:
            self._writers[collection] = self._new_writer(collection)
            raise

    def _new_writer(self, name: str) -> CollectionWriter:
        stored = collection_name(name, self.id)
        return CollectionWriter(self._database, self._collections[name], stored, self._cache)


def run_all(threads: Executor, tasks: Sequence[Task]) -> None:
    """Run all *tasks*, several of them in parallel; after all have ended, raise the first error.

    Many take the server no longer than one, for it waits for its journal.
    """
    if len(tasks) == 1:
        tasks[0]()
        return
    futures = [threads.submit(task) for task in tasks]
    wait(futures)
    for future in futures:
        future.result()


def _size(changed: Sequence[_ChangedDocument]) -> int:
    return sum(len(change.raw) for change in changed)


def _replacement(change: _ChangedDocument) -> ReplaceOne[Any]:
    guard = {"_id": change.id, POSITION: change.before.position}
    return ReplaceOne(guard, RawBSONDocument(change.raw))


def _duplicates(error: BulkWriteError) -> set[int]:
    """Return the indexes of inserts whose documents exist already; raise *error* if it has another cause."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(failure["code"] != _DUPLICATE_KEY for failure in failed):
        raise error
    return {failure["index"] for failure in failed}
