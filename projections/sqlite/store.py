"""The document store on SQLite: the adapter of the embedded profile."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from projections.fold import GroupedWrites, group
from projections.model import ReadModel
from projections.sqlite import model_registry, reader
from projections.sqlite.connections import Database, translated
from projections.sqlite.generation import GenerationTables
from projections.sqlite.model_registry import ModelRow
from projections.sqlite.rebuild import SQLiteRebuild
from projections.sqlite.schema import Table, drop_table, generations
from projections.sqlite.table_writer import TableWriter
from projections.store import Change, Checkpoint, Condition, DeadLetter, Equals, Query, StoreUnavailableError
from projections.writes import Document
from telemetry import tracing
from telemetry.trace_lines import trace, traces

T = TypeVar("T")

_ATTEMPTS = 5
_SPAN = {"db.system.name": "sqlite"}
_CACHE_BYTES = 4 * 1024 * 1024


class SQLiteDocumentStore:
    """Keep documents in the file at *path*, or in memory.

    Each collection has one table for each generation of its model. Readers look the live table up in a map
    that is replaced as a whole; a reader whose table was dropped meanwhile looks again.
    """

    def __init__(self, path: Path | None, *, cache_bytes: int = _CACHE_BYTES) -> None:
        """Open or create the store; each collection remembers what was written last, up to *cache_bytes*."""
        self._cache_bytes = cache_bytes
        self._database = Database(path)
        self._generations: dict[str, GenerationTables] = {}
        self._writers: dict[str, TableWriter] = {}
        self._checkpoints: dict[int, dict[str, Checkpoint]] = {0: {}}
        self._rebuilds: dict[str, SQLiteRebuild] = {}
        self._numbers: dict[str, int] = {}

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Create what *models* need, and drop the tables of unfinished rebuilds and older versions.

        A model whose version has changed gets a new, empty live generation at checkpoint 0, for its runner to
        fill. A new index is created at once; a new multikey or text field needs a new version.
        """
        prepared: list[tuple[GenerationTables, ModelRow]] = []
        with self._database.lock:
            with self._database.transaction() as connection:
                model_registry.create(connection)
                known = model_registry.load(connection)
                prepared += [self._prepared(connection, model, known.get(model.name)) for model in models]
                model_registry.save(connection, [row for _, row in prepared])
            for generation, row in prepared:
                self._end_rebuild(row.name)
                self._show(generation, row.checkpoints)

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model's live generation."""
        return self._of_partition(self._checkpoints, partition)

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply *changes* in one transaction; a checkpoint never moves back."""
        grouped: dict[str, GroupedWrites] = {}
        for change in changes:
            group(change.writes, grouped.setdefault(change.model, {}))
        with tracing.part("store", tracing.Kind.CLIENT, _SPAN), self._database.lock:
            checkpoints = self._moved(changes)
            try:
                self._write(changes, grouped, checkpoints)
            except BaseException:
                for name in grouped:
                    self._generations[name].forget()
                raise
            for name in grouped:
                self._generations[name].commit()
            self._checkpoints = checkpoints
        if traces():
            trace("documents stored", models=sorted(grouped), documents=sum(map(len, grouped.values())))

    def _write(
        self,
        changes: Sequence[Change],
        grouped: Mapping[str, GroupedWrites],
        checkpoints: Mapping[int, Mapping[str, Checkpoint]],
    ) -> None:
        with self._database.transaction() as connection:
            for name, documents in grouped.items():
                self._generations[name].write(connection, documents)
            model_registry.save(connection, self._rows(changes, checkpoints))
            for change in changes:
                if change.solved:
                    model_registry.delete_solved(connection, change.model, change.solved, change.partition)
                if change.dead_letters:
                    model_registry.add_dead_letters(connection, change.dead_letters)

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a document."""
        return self._read(collection, lambda connection, table: reader.read_one(connection, table, id))

    def remembered(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as above
        """Return a document that was written recently, without asking SQLite; None for any other."""
        with self._database.lock:
            return self._writers[collection].remembered(id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        return self._read(collection, lambda connection, table: reader.read_many(connection, table, ids))

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*; raises ValueError where the collection cannot answer it."""
        return self._read(
            query.collection, lambda connection, table: reader.read_query(connection, table, query)
        )

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*; in one process, separate queries cost no more."""
        return [self.find(query) for query in queries]

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        return self._read(collection, reader.count)

    def totals(self, collection: str, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
        """Return the sums of *fields* over the documents of *where*, and their number under `count`."""
        return self._read(
            collection, lambda connection, table: reader.read_totals(connection, table, where, fields)
        )

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, float]]:
        """Return the `totals` of the documents with each of *values* in *field*, by value."""
        return {value: self.totals(collection, (Equals(field, value),), fields) for value in values}

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters, including those that wait, in order of partition and sequence."""
        with self._database.lock, translated():
            return model_registry.dead_letters(self._database.writer, model)

    def begin_rebuild(self, model: ReadModel) -> SQLiteRebuild:
        """Begin to rebuild a prepared *model*; an unfinished rebuild of it is dropped."""
        with self._database.lock:
            if model.name in self._rebuilds:
                self._rebuilds.pop(model.name).cancel()
            number = self._numbers[model.name] + 1
            generation = GenerationTables(model, number, self._cache_bytes)
            with self._database.transaction() as connection:
                generation.create(connection)
            self._numbers[model.name] = number
            rebuild = SQLiteRebuild(self._database, generation, self._switch)
            self._rebuilds[model.name] = rebuild
            return rebuild

    def scrub(self) -> None:
        """Move the journal into the file and empty it, so that overwritten data remains nowhere."""
        with self._database.lock, translated():
            self._database.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _read(self, collection: str, read: Callable[[sqlite3.Connection, Table], T]) -> T:
        """Read from the live table; read again if a switch has dropped it meanwhile."""
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
        """Return all checkpoints after *changes*; a change behind its checkpoint leaves it as it is."""
        checkpoints = dict(self._checkpoints)
        for partition in {change.partition for change in changes}:
            checkpoints[partition] = self._of_partition(checkpoints, partition).copy()
        for change in changes:
            of_partition = checkpoints[change.partition]
            if change.checkpoint.sequence >= of_partition[change.model].sequence:
                of_partition[change.model] = change.checkpoint
        return checkpoints

    def _of_partition(
        self, checkpoints: Mapping[int, dict[str, Checkpoint]], partition: int
    ) -> dict[str, Checkpoint]:
        """Return the checkpoints of a partition; a model without one is at the start."""
        known = checkpoints.get(partition, {})
        if len(known) == len(self._generations):
            return known
        return {name: known.get(name, Checkpoint()) for name in self._generations}

    def _rows(
        self, changes: Sequence[Change], checkpoints: Mapping[int, Mapping[str, Checkpoint]]
    ) -> list[ModelRow]:
        """Return the rows of the changed models, with checkpoints of the first and the changed partitions."""
        partitions: dict[str, set[int]] = {}
        for change in changes:
            partitions.setdefault(change.model, {0}).add(change.partition)
        first = self._of_partition(self._checkpoints, 0)
        return [
            _row(
                self._generations[name],
                {number: checkpoints.get(number, first)[name] for number in sorted(numbers)},
            )
            for name, numbers in partitions.items()
        ]

    def _switch(self, rebuild: SQLiteRebuild) -> None:
        """Make the generation of *rebuild* live; raises ValueError if it is behind in any partition."""
        name = rebuild.generation.model.name
        before, checkpoints = self._generations[name], dict(rebuild.checkpoints)
        for partition, live in self._checkpoints.items():
            reached, built = live.get(name, Checkpoint()), checkpoints.setdefault(partition, Checkpoint())
            if built.sequence < reached.sequence:
                raise ValueError(
                    f"the rebuild of {name} is at {built.sequence}, the live model at {reached.sequence}"
                )
        with self._database.transaction() as connection:
            model_registry.forget_other_partitions(connection, name)
            model_registry.save(connection, [_row(rebuild.generation, checkpoints)])
            model_registry.delete_dead_letters(connection, name)
        self._show(rebuild.generation, checkpoints)
        self._end_rebuild(name)
        with suppress(StoreUnavailableError), self._database.transaction() as connection:
            before.drop(connection)  # no reader uses it any more; what stays, the next start drops

    def _end_rebuild(self, name: str) -> None:
        """Forget a rebuild whose tables are live or dropped."""
        rebuild = self._rebuilds.pop(name, None)
        if rebuild is not None:
            rebuild.ended = True

    def _show(self, generation: GenerationTables, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Let readers see *generation*: first the documents, then the checkpoints."""
        name = generation.model.name
        self._generations[name] = generation
        self._numbers[name] = generation.number
        self._writers = {**self._writers, **generation.writers}
        self._checkpoints = {
            partition: self._checkpoints.get(partition, {}) | {name: checkpoints.get(partition, Checkpoint())}
            for partition in sorted({*self._checkpoints, *checkpoints})
        }

    def _prepared(
        self, connection: sqlite3.Connection, model: ReadModel, known: ModelRow | None
    ) -> tuple[GenerationTables, ModelRow]:
        """Create the live generation of *model*, and drop all others."""
        if known is None or known.version != model.version:
            number = 1 if known is None else known.generation + 1
            row = ModelRow(name=model.name, version=model.version, generation=number, checkpoints={})
            model_registry.forget_other_partitions(connection, model.name)
            model_registry.delete_dead_letters(connection, model.name)
        else:
            row = known
        generation = GenerationTables(model, row.generation, self._cache_bytes)
        for name, table in generation.tables.items():
            for other in generations(connection, name):
                if other != table.name:
                    drop_table(connection, other)
        generation.create(connection)
        return generation, row


def _row(generation: GenerationTables, checkpoints: Mapping[int, Checkpoint]) -> ModelRow:
    model = generation.model
    return ModelRow(
        name=model.name, version=model.version, generation=generation.number, checkpoints=checkpoints
    )
