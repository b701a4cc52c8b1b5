"""The document store on MongoDB: the adapter of the cluster profile."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from projections.fold import GroupedWrites, group
from projections.model import ReadModel
from projections.mongodb import reader, schema
from projections.mongodb.connection import Client, database_of, translated
from projections.mongodb.dead_letters import DeadLetterCollection
from projections.mongodb.live_generations import LiveGenerations, LiveGenerationsCache
from projections.mongodb.model_registry import (
    GenerationId,
    ModelPartition,
    ModelRegistry,
    collection_name,
    foremost,
)
from projections.mongodb.reader import Source
from projections.mongodb.rebuild import MongoRebuild
from projections.mongodb.sessions import CausalSessions
from projections.mongodb.writer import GenerationWriter, run_all
from projections.store import (
    Change,
    Checkpoint,
    Condition,
    DeadLetter,
    ModelSwitchedError,
    NewerModelError,
    Query,
    StoreUnavailableError,
)
from projections.writes import Document
from telemetry import tracing
from telemetry.trace_lines import trace, traces

T = TypeVar("T")

_ATTEMPTS = 5
_SPAN = {"db.system.name": "mongodb"}
_THREADS = 8
_CACHE_BYTES = 4 * 1024 * 1024
_FRESH_SECONDS = 0.2
_SWEEP_SECONDS = schema.GRACE_SECONDS


class MongoDocumentStore:
    """Keep documents in a database that other processes read and write as well.

    Each collection is one MongoDB collection for each generation of its model; the registry names the live
    one. Collections that are no longer live stay for a while, for readers and writers that do not know so
    yet.
    """

    def __init__(
        self,
        client: Client,
        database: str,
        *,
        cache_bytes: int = _CACHE_BYTES,
        fresh_seconds: float = _FRESH_SECONDS,
    ) -> None:
        """Use *database*; each collection remembers what was written last, up to *cache_bytes*.

        A switch by another process is seen after *fresh_seconds*, or when the checkpoints are read next.
        """
        self._client = client
        self._database = database_of(client, database)
        self._cache_bytes = cache_bytes
        self._registry = ModelRegistry(self._database)
        self._dead_letters = DeadLetterCollection(self._database)
        self._sessions = CausalSessions(client)
        self._live = LiveGenerationsCache(self._registry, self._sessions, fresh_seconds)
        self._generations: dict[str, GenerationWriter] = {}
        self._acknowledged: dict[ModelPartition, GenerationId] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="documents")
        self._lock = threading.RLock()
        self._swept = time.monotonic()

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Create what *models* need, and drop the collections that no query reads any more.

        A model whose version is above the live one gets a new, empty live generation at checkpoint 0, for its
        worker to fill. If a newer version is live, it stays: this process only reads it. A new index is
        created at once; a new multikey or text field needs a new version.
        """
        models = list(models)
        with self._lock, translated():
            schema.create_own(self._database)
            for model in models:
                if self._registry.claim(model):
                    self._dead_letters.drop(model.name)
            live = self._live.show(models)
            for model in models:
                self._write_to(model, live.entries[model.name].live)
            self._sweep()

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model's live generation, as stored now."""
        with translated():
            entries = self._live.load().entries
        for name, entry in entries.items():
            self._acknowledged.setdefault((name, partition), entry.live)
        return {name: entry.checkpoint(partition) for name, entry in entries.items()}

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply *changes*: dead letters and documents first, then the checkpoints."""
        grouped: dict[str, GroupedWrites] = {}
        for change in changes:
            group(change.writes, grouped.setdefault(change.model, {}))
        for name, documents in grouped.items():
            self._generations[name].check(documents)
        with tracing.part("store", tracing.Kind.CLIENT, _SPAN), self._lock, translated():
            self._check_live(((change.model, change.partition) for change in changes), self._live.get())
            self._dead_letters.add(letter for change in changes for letter in change.dead_letters)
            run_all(
                self._threads,
                [task for name in grouped for task in self._generations[name].tasks(grouped[name])],
            )
            self._move(foremost(((change.model, change.partition), change.checkpoint) for change in changes))
            for change in changes:
                added = {letter.sequence for letter in change.dead_letters}
                solved = [sequence for sequence in change.solved if sequence not in added]
                self._dead_letters.delete_solved(change.model, solved, change.partition)
            if time.monotonic() - self._swept > _SWEEP_SECONDS:
                self._sweep()
        if traces():
            trace("documents stored", models=sorted(grouped), documents=sum(map(len, grouped.values())))

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a document."""
        return self._read(collection, lambda source: reader.read_one(source, id))

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        return self._read(collection, lambda source: reader.read_many(source, ids))

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*; raises ValueError where the collection cannot answer it."""
        return self._read(query.collection, lambda source: reader.read_query(source, query))

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*, in one request to the server."""
        if not queries:
            return []
        return self._read(queries[0].collection, lambda source: reader.read_queries(source, queries))

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        return self._read(collection, reader.count)

    def totals(self, collection: str, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
        """Return the sums of *fields* over the documents of *where*, and their number under `count`."""
        return self._read(collection, lambda source: reader.read_totals(source, where, fields))

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, float]]:
        """Return the `totals` of the documents with each of *values* in *field*, by value, in one request."""
        return self._read(collection, lambda source: reader.read_totals_by(source, field, values, fields))

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters, including those that wait, in order of partition and sequence."""
        with translated():
            return self._dead_letters.all(model)

    def begin_rebuild(self, model: ReadModel) -> MongoRebuild:
        """Begin to rebuild a prepared *model*; an unfinished rebuild of it, by any process, is dropped."""
        with self._lock, translated():
            generation, unfinished = self._registry.begin(model)
            if unfinished is not None:
                schema.drop(self._database, model, unfinished)
            schema.create(self._database, model, generation)
            writer = self._writer(model, generation)
        return MongoRebuild(self._database, self._registry, writer, self._threads, self._switched)

    def close(self) -> None:
        """End the threads and close the client."""
        self._threads.shutdown()
        self._client.close()

    def _read(self, collection: str, read: Callable[[Source], T]) -> T:
        """Read from a live collection; read again if that took so long that it may have been dropped."""
        with translated():
            for _ in range(_ATTEMPTS):
                live = self._live_with(collection)
                with self._sessions.reading() as session:
                    stored = self._database[live.names[collection]]
                    answer = read(Source(live.collections[collection], stored, session))
                if live.reliable:
                    return answer
        raise StoreUnavailableError("the document store answers too slowly")

    def _live_with(self, collection: str) -> LiveGenerations:
        """Return the live generations; raises StoreUnavailableError until *collection* is prepared."""
        live = self._live.get()
        if collection not in live.names:
            live = self._live.load()
        if collection not in live.names:
            raise StoreUnavailableError(f"{collection} is not prepared yet")
        return live

    def _move(self, checkpoints: Mapping[ModelPartition, Checkpoint]) -> None:
        moves = {key: (self._generations[key[0]].id, checkpoint) for key, checkpoint in checkpoints.items()}
        if not self._registry.move(
            moves
        ):  # some are ahead already, which is fine, or another generation is live
            self._check_live(checkpoints, self._live.load())

    def _check_live(self, keys: Iterable[ModelPartition], live: LiveGenerations) -> None:
        """Raise if the generation that is written is not live; write to the live one from now on.

        The error is raised for each partition by itself: the writer of another one may have met it before.
        """
        for key in keys:
            name, _ = key
            writer, current = self._generations[name], live.entries[name].live
            if current.version > writer.model.version:
                raise NewerModelError(
                    f"version {current.version} of {name} is live, "
                    f"this process writes version {writer.model.version}"
                )
            acknowledged = self._acknowledged.setdefault(key, writer.id)
            if current != writer.id:
                self._generations[name] = self._writer(writer.model, current)
            if current != acknowledged:
                self._acknowledged[key] = current
                raise ModelSwitchedError(f"{name} was switched: load its checkpoint again")

    def _switched(self, rebuilt: GenerationWriter, before: GenerationId, through: Mapping[int, int]) -> None:
        """Write to a generation that this process has rebuilt and that is live now."""
        model = rebuilt.model
        with self._lock:
            current = self._live.show([model]).entries[model.name].live
            self._dead_letters.drop(model.name, through)
            self._generations[model.name] = self._writer(model, current)
            self._acknowledged |= {key: current for key in self._acknowledged if key[0] == model.name}
            schema.retire(
                self._database, [collection_name(collection.name, before) for collection in model.collections]
            )

    def _write_to(self, model: ReadModel, generation: GenerationId) -> None:
        if generation.version == model.version:
            schema.create(self._database, model, generation)
        current = self._generations.get(model.name)
        if current is None or current.id != generation or current.model != model:
            self._generations[model.name] = self._writer(model, generation)
            self._acknowledged = {
                key: acknowledged for key, acknowledged in self._acknowledged.items() if key[0] != model.name
            }

    def _writer(self, model: ReadModel, generation: GenerationId) -> GenerationWriter:
        return GenerationWriter(self._database, model, generation, self._cache_bytes)

    def _sweep(self) -> None:
        schema.sweep(self._database, self._live.models, self._registry.entries)
        self._swept = time.monotonic()
