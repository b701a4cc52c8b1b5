"""The document store on MongoDB: the adapter of the cluster profile."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from projections.fold import Grouped, group
from projections.model import ReadModel
from projections.mongodb import reader, schema
from projections.mongodb.connection import Client, database_of, translated
from projections.mongodb.dead_letters import Letters
from projections.mongodb.live_generations import View, Views
from projections.mongodb.model_registry import Build, Catalog, Place, collection_name, foremost
from projections.mongodb.reader import Source
from projections.mongodb.rebuild import MongoRebuild
from projections.mongodb.sessions import Sessions
from projections.mongodb.writer import Generation, at_once
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

T = TypeVar("T")

_ATTEMPTS = 5
_THREADS = 8
_CACHE_BYTES = 4 * 1024 * 1024
_FRESH_SECONDS = 0.2
_SWEEP_SECONDS = schema.GRACE_SECONDS


class MongoDocumentStore:
    """Keep documents in a database that other processes read and write, too.

    Each collection lies in one collection of MongoDB for each generation of its model; the catalog names the live
    one. What is no longer live stays for a while, for readers and writers that do not know so yet.
    """

    def __init__(
        self,
        client: Client,
        database: str,
        *,
        cache_bytes: int = _CACHE_BYTES,
        fresh_seconds: float = _FRESH_SECONDS,
    ) -> None:
        """Use *database*; each collection remembers *cache_bytes* of what was written last.

        A switch by another process is seen after *fresh_seconds*, or with the next look at the checkpoints.
        """
        self._client = client
        self._database = database_of(client, database)
        self._cache_bytes = cache_bytes
        self._catalog = Catalog(self._database)
        self._letters = Letters(self._database)
        self._sessions = Sessions(client)
        self._views = Views(self._catalog, self._sessions, fresh_seconds)
        self._generations: dict[str, Generation] = {}
        self._told: dict[Place, Build] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="documents")
        self._lock = threading.RLock()
        self._swept = time.monotonic()

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Make what *models* need, and drop what nobody reads any more.

        A model whose version is above the live one's gets a new, empty live generation with checkpoint 0, for its
        worker to fill. Where a newer version is live, it stays: this process only reads it. A new index is made at
        once; a new multikey or text field needs a new version.
        """
        models = list(models)
        with self._lock, translated():
            schema.create_own(self._database)
            for model in models:
                if self._catalog.claim(model):
                    self._letters.drop(model.name)
            view = self._views.show(models)
            for model in models:
                self._write_to(model, view.live[model.name].build)
            self._sweep()

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model's live generation, as the server has it now."""
        with translated():
            live = self._views.load().live
        for name, found in live.items():
            self._told.setdefault((name, partition), found.build)
        return {name: found.checkpoint(partition) for name, found in live.items()}

    def apply(self, changes: Sequence[Change]) -> None:
        """Do *changes*: new dead letters, then documents, then checkpoints, then the letters that are solved.

        Each of these may be repeated without effect, and none needs one after it: a crash in between is harmless.
        """
        grouped: dict[str, Grouped] = {}
        for change in changes:
            group(change.writes, grouped.setdefault(change.model, {}))
        for name, documents in grouped.items():
            self._generations[name].check(documents)
        with self._lock, translated():
            self._check_live(((change.model, change.partition) for change in changes), self._views.get())
            self._letters.add(letter for change in changes for letter in change.dead_letters)
            at_once(
                self._threads,
                [task for name in grouped for task in self._generations[name].tasks(grouped[name])],
            )
            self._move(foremost(((change.model, change.partition), change.checkpoint) for change in changes))
            for change in changes:
                added = {letter.sequence for letter in change.dead_letters}
                solved = [at for at in change.solved if at not in added]
                self._letters.solve(change.model, solved, change.partition)
            if time.monotonic() - self._swept > _SWEEP_SECONDS:
                self._sweep()

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a document."""
        return self._read(collection, lambda source: reader.read_one(source, id))

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        return self._read(collection, lambda source: reader.read_many(source, ids))

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*; raise ValueError where the collection cannot answer it."""
        return self._read(query.collection, lambda source: reader.read_query(source, query))

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*, in one trip to the server."""
        if not queries:
            return []
        return self._read(queries[0].collection, lambda source: reader.read_queries(source, queries))

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        return self._read(collection, reader.count)

    def totals(self, collection: str, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
        """Return the sums of *fields* over the documents of *where*, and under `count` how many they are."""
        return self._read(collection, lambda source: reader.read_totals(source, where, fields))

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, float]]:
        """Return `totals` of the documents that have each of *values* in *field*, in one trip to the server."""
        return self._read(collection, lambda source: reader.read_totals_by(source, field, values, fields))

    def dump(self, collection: str) -> Iterator[Document]:
        """Yield every document in order of id, read in pages."""
        after = ""
        while page := self._page(collection, after):
            yield from page
            after = page[-1]["id"]

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters and what waits behind them, in order of partition and sequence."""
        with translated():
            return self._letters.all(model)

    def begin_rebuild(self, model: ReadModel) -> MongoRebuild:
        """Begin to build a prepared *model* anew; an unfinished build of it, of any process, is dropped."""
        with self._lock, translated():
            build, unfinished = self._catalog.begin(model)
            if unfinished is not None:
                schema.drop(self._database, model, unfinished)
            schema.create(self._database, model, build)
            generation = Generation(self._database, model, build, self._cache_bytes)
        return MongoRebuild(self._database, self._catalog, generation, self._threads, self._switched)

    def close(self) -> None:
        """End the threads and close the client."""
        self._threads.shutdown()
        self._client.close()

    def _page(self, collection: str, after: str) -> list[Document]:
        return self._read(collection, lambda source: reader.read_page(source, after))

    def _read(self, collection: str, read: Callable[[Source], T]) -> T:
        def run(view: View) -> T:
            with self._sessions.reading() as session:
                stored = self._database[view.names[collection]]
                return read(Source(view.collections[collection], stored, session))

        return self._live(run)

    def _live(self, run: Callable[[View], T]) -> T:
        """Read from live collections; once more where that took so long that they may have been dropped."""
        with translated():
            for _ in range(_ATTEMPTS):
                view = self._views.get()
                found = run(view)
                if view.reliable:
                    return found
        raise StoreUnavailableError("the document store answers too slowly")

    def _move(self, checkpoints: Mapping[Place, Checkpoint]) -> None:
        moves = {
            place: (self._generations[place[0]].build, checkpoint)
            for place, checkpoint in checkpoints.items()
        }
        if not self._catalog.move(moves):  # some are ahead already, which is well, or another build is live
            self._check_live(checkpoints, self._views.load())

    def _check_live(self, places: Iterable[Place], view: View) -> None:
        """Raise where another build than the one that is written to has been made live; write to that one from now on.

        Each partition is told: who writes another one may have been told before.
        """
        for place in places:
            name, _ = place
            generation, live = self._generations[name], view.live[name].build
            if live.version > generation.model.version:
                raise NewerModelError(
                    f"version {live.version} of {name} is live, this process writes version {generation.model.version}"
                )
            told = self._told.setdefault(place, generation.build)
            if live != generation.build:
                self._generations[name] = self._generation(generation.model, live)
            if live != told:
                self._told[place] = live
                raise ModelSwitchedError(f"{name} was switched: load its checkpoint again")

    def _switched(self, generation: Generation, before: Build, upto: Mapping[int, int]) -> None:
        """Take up a build of our own that is live now."""
        model = generation.model
        with self._lock:
            live = self._views.show([model]).live[model.name]
            self._letters.drop(model.name, upto)
            self._generations[model.name] = self._generation(model, live.build)
            self._told |= {place: live.build for place in self._told if place[0] == model.name}
            schema.retire(
                self._database, [collection_name(collection.name, before) for collection in model.collections]
            )

    def _write_to(self, model: ReadModel, build: Build) -> None:
        if build.version == model.version:
            schema.create(self._database, model, build)
        current = self._generations.get(model.name)
        if current is None or current.build != build or current.model != model:
            self._generations[model.name] = self._generation(model, build)
            self._told = {place: told for place, told in self._told.items() if place[0] != model.name}

    def _generation(self, model: ReadModel, build: Build) -> Generation:
        return Generation(self._database, model, build, self._cache_bytes)

    def _sweep(self) -> None:
        schema.sweep(self._database, self._views.models, self._catalog.live)
        self._swept = time.monotonic()
