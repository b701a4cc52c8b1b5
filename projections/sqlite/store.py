"""The document store on SQLite: the adapter of the embedded profile."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from projections.fold import Grouped, group
from projections.model import ReadModel
from projections.sqlite import model_registry, reader
from projections.sqlite.connections import Database, translated
from projections.sqlite.generation import Generation
from projections.sqlite.model_registry import Live
from projections.sqlite.rebuild import SQLiteRebuild
from projections.sqlite.schema import Table, drop_table, generations
from projections.sqlite.table_writer import TableWriter
from projections.store import Change, Checkpoint, Condition, DeadLetter, Equals, Query, StoreUnavailableError
from projections.writes import Document

T = TypeVar("T")

_ATTEMPTS = 5
_CACHE_BYTES = 4 * 1024 * 1024


class SQLiteDocumentStore:
    """Keep documents in the file at *path*, or in memory.

    Each collection has one table for each generation of its model. Readers find the live one in a map that is
    replaced as a whole; a reader that comes too late for a dropped table looks again.
    """

    def __init__(self, path: Path | None, *, cache_bytes: int = _CACHE_BYTES) -> None:
        """Open the store, or make it; each collection remembers *cache_bytes* of what was written last."""
        self._cache_bytes = cache_bytes
        self._database = Database(path)
        self._generations: dict[str, Generation] = {}
        self._writers: dict[str, TableWriter] = {}
        self._checkpoints: dict[int, dict[str, Checkpoint]] = {0: {}}
        self._rebuilds: dict[str, SQLiteRebuild] = {}
        self._numbers: dict[str, int] = {}

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Make what *models* need, and drop what unfinished builds and older versions left.

        A model whose version has changed gets a new, empty live generation with checkpoint 0, for its runner to
        fill. A new index is made at once; a new multikey or text field needs a new version.
        """
        prepared: list[tuple[Generation, Live]] = []
        with self._database.lock:
            with self._database.transaction() as connection:
                model_registry.create(connection)
                known = model_registry.load(connection)
                prepared += [self._prepared(connection, model, known.get(model.name)) for model in models]
                model_registry.save(connection, [live for _, live in prepared])
            for generation, live in prepared:
                self._end_rebuild(live.name)
                self._show(generation, live.checkpoints)

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model's live generation."""
        return self._of_partition(self._checkpoints, partition)

    def apply(self, changes: Sequence[Change]) -> None:
        """Do *changes* in one transaction. A checkpoint never goes back."""
        grouped: dict[str, Grouped] = {}
        for change in changes:
            group(change.writes, grouped.setdefault(change.model, {}))
        with self._database.lock:
            checkpoints = self._moved(changes)
            try:
                with self._database.transaction() as connection:
                    for name, documents in grouped.items():
                        self._generations[name].write(connection, documents)
                    model_registry.save(connection, self._lives(changes, checkpoints))
                    for change in changes:
                        model_registry.solve_letters(
                            connection, change.model, change.solved, change.partition
                        )
                        model_registry.add_letters(connection, change.dead_letters)
            except BaseException:
                for name in grouped:
                    self._generations[name].forget()
                raise
            for name in grouped:
                self._generations[name].commit()
            self._checkpoints = checkpoints

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a document."""
        return self._read(collection, lambda connection, table: reader.read_one(connection, table, id))

    def remembered(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as above
        """Return a document that was written of late, without a question to SQLite; None for any other."""
        with self._database.lock:
            return self._writers[collection].remembered(id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        return self._read(collection, lambda connection, table: reader.read_many(connection, table, ids))

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*; raise ValueError where the collection cannot answer it."""
        return self._read(
            query.collection, lambda connection, table: reader.read_query(connection, table, query)
        )

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*: in this process, one after the other costs no more."""
        return [self.find(query) for query in queries]

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        return self._read(collection, reader.count)

    def totals(self, collection: str, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
        """Return the sums of *fields* over the documents of *where*, and under `count` how many they are."""
        return self._read(
            collection, lambda connection, table: reader.read_totals(connection, table, where, fields)
        )

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, float]]:
        """Return `totals` of the documents that have each of *values* in *field*."""
        return {value: self.totals(collection, (Equals(field, value),), fields) for value in values}

    def dump(self, collection: str) -> Iterator[Document]:
        """Yield every document in order of id, read in pages."""
        after = ""
        while page := self._page(collection, after):
            yield from page
            after = page[-1]["id"]

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters and what waits behind them, in order of sequence."""
        with self._database.lock, translated():
            return model_registry.letters(self._database.writer, model)

    def begin_rebuild(self, model: ReadModel) -> SQLiteRebuild:
        """Begin to build a prepared *model* anew; an unfinished build of it is dropped."""
        with self._database.lock:
            if model.name in self._rebuilds:
                self._rebuilds.pop(model.name).cancel()
            number = self._numbers[model.name] + 1
            generation = Generation(model, number, self._cache_bytes)
            with self._database.transaction() as connection:
                generation.create(connection)
            self._numbers[model.name] = number
            build = SQLiteRebuild(self._database, generation, self._switch)
            self._rebuilds[model.name] = build
            return build

    def scrub(self) -> None:
        """Move the journal into the file and empty it: what was overwritten is nowhere any more."""
        with self._database.lock, translated():
            self._database.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _page(self, collection: str, after: str) -> list[Document]:
        return self._read(collection, lambda connection, table: reader.read_page(connection, table, after))

    def _read(self, collection: str, read: Callable[[sqlite3.Connection, Table], T]) -> T:
        """Read from the live table; once more where a switch has dropped it in between."""
        with translated():
            for _ in range(_ATTEMPTS):
                table = self._writers[collection].table
                try:
                    with self._database.reading() as connection:
                        return read(connection, table)
                except sqlite3.OperationalError:
                    if self._writers[collection].table is table:
                        raise
            raise sqlite3.OperationalError(f"{collection} is switched faster than it is read")

    def _moved(self, changes: Sequence[Change]) -> dict[int, dict[str, Checkpoint]]:
        """Return the checkpoints after *changes*; one that is behind stays as it is."""
        moved = dict(self._checkpoints)
        for partition in {change.partition for change in changes}:
            moved[partition] = self._of_partition(moved, partition).copy()
        for change in changes:
            part = moved[change.partition]
            if change.checkpoint.sequence >= part[change.model].sequence:
                part[change.model] = change.checkpoint
        return moved

    def _of_partition(
        self, checkpoints: Mapping[int, dict[str, Checkpoint]], partition: int
    ) -> dict[str, Checkpoint]:
        """Return the checkpoints of a partition; where a model has none, it is at the start."""
        found = checkpoints.get(partition, {})
        if len(found) == len(self._generations):
            return found
        return {name: found.get(name, Checkpoint()) for name in self._generations}

    def _lives(
        self, changes: Sequence[Change], checkpoints: Mapping[int, Mapping[str, Checkpoint]]
    ) -> list[Live]:
        """Return what is to be written of the models of *changes*: the partitions that they are about, and the first."""
        partitions: dict[str, set[int]] = {}
        for change in changes:
            partitions.setdefault(change.model, {0}).add(change.partition)
        first = self._of_partition(self._checkpoints, 0)
        return [
            _live(
                self._generations[name],
                {at: checkpoints.get(at, first)[name] for at in sorted(found)},
            )
            for name, found in partitions.items()
        ]

    def _switch(self, build: SQLiteRebuild) -> None:
        name = build.generation.model.name
        before, checkpoints = self._generations[name], dict(build.checkpoints)
        for partition, live in self._checkpoints.items():
            theirs, mine = live.get(name, Checkpoint()), checkpoints.setdefault(partition, Checkpoint())
            if mine.sequence < theirs.sequence:
                raise ValueError(
                    f"the build of {name} is at {mine.sequence}, the live one at {theirs.sequence}"
                )
        with self._database.transaction() as connection:
            model_registry.forget_places(connection, name)
            model_registry.save(connection, [_live(build.generation, checkpoints)])
            model_registry.drop_letters(connection, name)
        self._show(build.generation, checkpoints)
        self._end_rebuild(name)
        with suppress(StoreUnavailableError), self._database.transaction() as connection:
            before.drop(connection)  # readers are elsewhere already: what is left, the next start drops

    def _end_rebuild(self, name: str) -> None:
        """Forget a build whose tables are gone."""
        build = self._rebuilds.pop(name, None)
        if build is not None:
            build.ended = True

    def _show(self, generation: Generation, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Let readers see *generation*: first the documents, then how far they are."""
        name = generation.model.name
        self._generations[name] = generation
        self._numbers[name] = generation.number
        self._writers = {**self._writers, **generation.writers}
        self._checkpoints = {
            partition: self._checkpoints.get(partition, {}) | {name: checkpoints.get(partition, Checkpoint())}
            for partition in sorted({*self._checkpoints, *checkpoints})
        }

    def _prepared(
        self, connection: sqlite3.Connection, model: ReadModel, known: Live | None
    ) -> tuple[Generation, Live]:
        """Make the live generation of *model*, and drop all others."""
        if known is None or known.version != model.version:
            number = 1 if known is None else known.generation + 1
            live = Live(name=model.name, version=model.version, generation=number, checkpoints={})
            model_registry.forget_places(connection, model.name)
            model_registry.drop_letters(connection, model.name)
        else:
            live = known
        generation = Generation(model, live.generation, self._cache_bytes)
        for name, table in generation.tables.items():
            for other in generations(connection, name):
                if other != table.name:
                    drop_table(connection, other)
        generation.create(connection)
        return generation, live


def _live(generation: Generation, checkpoints: Mapping[int, Checkpoint]) -> Live:
    model = generation.model
    return Live(name=model.name, version=model.version, generation=generation.number, checkpoints=checkpoints)
