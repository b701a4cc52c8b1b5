"""Write the documents of one collection: read what is needed, fold, write where nothing has changed meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, wait
from functools import partial
from typing import Any, NamedTuple

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference, ReplaceOne
from pymongo.collection import Collection as Stored_
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure

from projections.fold import NOTHING, Grouped, Stored, fold
from projections.model import Collection, ReadModel
from projections.mongodb.documents import POSITION, from_stored, to_stored
from projections.mongodb.model_registry import Build, collection_name
from projections.recent_documents import Recent
from projections.store import StoreUnavailableError
from projections.writes import Delete, Document, Put, Write

_ATTEMPTS = 32
_READ_AT_ONCE = 1_000
_TRANSACTION_BYTES = 8 * 1024 * 1024
_DUPLICATE_KEY = 11_000
_NO_TRANSACTIONS = 20  # IllegalOperation: a server that is no member of a replica set

Task = Callable[[], None]

Writes = Mapping[str, Sequence[tuple[int, Write]]]
"""The writes to each document, in order."""


class _Changed(NamedTuple):
    id: str
    before: Stored
    after: Stored
    raw: bytes


class CollectionWriter:
    """Apply writes to a collection that others may write to at the same time.

    Each document is inserted, or replaced only at the position that it was read with; one that somebody else has
    moved is read again. So what is written is always the fold of what was there and of what is newer.
    """

    def __init__(self, database: Database[Document], collection: Collection, name: str, cache: int) -> None:
        """Write to *name*, and remember *cache* bytes of what was written last."""
        self._stored: Stored_[Document] = database.get_collection(
            name, read_preference=ReadPreference.PRIMARY
        )
        self._name = collection.name
        self._text = collection.text
        self._recent = Recent(cache)
        self._transactions = True

    def write(self, documents: Writes) -> None:
        """Apply the writes to each document; raise StoreUnavailableError where others change them without end."""
        left, assumed = documents, True
        for _ in range(_ATTEMPTS):
            changed = self._changed(left, self._known(left) if assumed else self._read(left))
            lost = self._save(changed)
            if not lost:
                return
            left, assumed = {id_: documents[id_] for id_ in lost}, False
        raise StoreUnavailableError(
            f"{len(left)} documents of {self._name} change faster than they are written"
        )

    def _known(self, documents: Writes) -> dict[str, Stored]:
        """Return what is remembered, and read the rest but for what begins with the whole document.

        That is taken to be new: mostly it is, and otherwise the insert fails and it is read.
        """
        found: dict[str, Stored] = {}
        unknown = []
        for id_, writes in documents.items():
            recent = self._recent.get(id_)
            if recent is not None:
                found[id_] = recent
            elif type(writes[0][1]) not in (Put, Delete):
                unknown.append(id_)
        return found | self._read(unknown)

    def _read(self, ids: Sequence[str] | Writes) -> dict[str, Stored]:
        wanted = list(ids)
        found: dict[str, Stored] = {}
        for start in range(0, len(wanted), _READ_AT_ONCE):
            chunk = wanted[start : start + _READ_AT_ONCE]
            for raw in self._stored.find({"_id": {"$in": chunk}}, batch_size=_READ_AT_ONCE):
                found[raw["_id"]] = from_stored(raw)
        return found

    def _changed(self, documents: Writes, stored: Mapping[str, Stored]) -> list[_Changed]:
        changed = []
        for id_, writes in documents.items():
            before = stored.get(id_, NOTHING)
            after = fold(before, writes)
            if after.position != before.position:
                raw = bson.encode(to_stored(id_, after, self._text))
                changed.append(_Changed(id_, before, after, raw))
        return changed

    def _save(self, changed: Sequence[_Changed]) -> list[str]:
        """Write what has changed, and return the ids of what somebody else may have changed meanwhile."""
        if not changed:
            return []
        inserted = [change for change in changed if change.before.position == 0]
        replaced = [change for change in changed if change.before.position != 0]
        lost = self._insert(inserted)
        if self._replace(replaced) != len(replaced):
            lost += [change.id for change in replaced]
        self._remember(changed, set(lost))
        return lost

    def _insert(self, changed: Sequence[_Changed]) -> list[str]:
        """Insert documents, and return the ids of those that are there already."""
        if not changed:
            return []
        try:
            self._stored.insert_many([RawBSONDocument(change.raw) for change in changed], ordered=False)
        except BulkWriteError as error:
            return [changed[at].id for at in sorted(_duplicates(error))]
        return []

    def _replace(self, changed: Sequence[_Changed]) -> int:
        """Replace documents that are at the positions that were read, and return how many were.

        One transaction spares servers that wait for the disk after each update most of the time. It is not needed
        for anything else: where there are none, or another writer is in the way, the updates stand for themselves.
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

    def _remember(self, changed: Sequence[_Changed], lost: set[str]) -> None:
        for change in changed:
            if change.id in lost:
                self._recent.drop(change.id)
            else:
                self._recent.put(change.id, change.after, len(change.raw))


class Generation:
    """One build of a model, to write to."""

    def __init__(self, database: Database[Document], model: ReadModel, build: Build, cache: int) -> None:
        """Write to the collections of *build*, each of which remembers *cache* bytes."""
        self.model = model
        self.build = build
        self._database = database
        self._cache = cache
        self._collections = {collection.name: collection for collection in model.collections}
        self._writers = {name: self._new_writer(name) for name in self._collections}

    def check(self, grouped: Grouped) -> None:
        """Raise ValueError where a collection is not the model's."""
        for collection in grouped:
            if collection not in self._writers:
                raise ValueError(f"{collection} is no collection of {self.model.name}")

    def tasks(self, grouped: Grouped) -> list[Task]:
        """Return what applies the writes to each collection."""
        return [partial(self._write, collection, documents) for collection, documents in grouped.items()]

    def _write(self, collection: str, documents: Writes) -> None:
        """Apply writes; what fails is not remembered."""
        try:
            self._writers[collection].write(documents)
        except BaseException:
            self._writers[collection] = self._new_writer(collection)
            raise

    def _new_writer(self, name: str) -> CollectionWriter:
        stored = collection_name(name, self.build)
        return CollectionWriter(self._database, self._collections[name], stored, self._cache)


def at_once(threads: Executor, tasks: Sequence[Task]) -> None:
    """Do all *tasks*, side by side where there are several; raise what one raised when all have ended.

    The server takes as long for one as for many: it waits for its journal.
    """
    if len(tasks) == 1:
        tasks[0]()
        return
    futures = [threads.submit(task) for task in tasks]
    wait(futures)
    for future in futures:
        future.result()


def _size(changed: Sequence[_Changed]) -> int:
    return sum(len(change.raw) for change in changed)


def _replacement(change: _Changed) -> ReplaceOne[Any]:
    guard = {"_id": change.id, POSITION: change.before.position}
    return ReplaceOne(guard, RawBSONDocument(change.raw))


def _duplicates(error: BulkWriteError) -> set[int]:
    """Return the operations that found their document there already; raise the error where it is another one."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(item["code"] != _DUPLICATE_KEY for item in failed):
        raise error
    return {item["index"] for item in failed}
