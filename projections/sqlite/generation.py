"""The tables of one generation of a read model."""

import sqlite3
from collections.abc import Mapping

from projections.fold import GroupedWrites
from projections.model import ReadModel
from projections.sqlite.schema import Table, drop_table
from projections.sqlite.table_writer import TableWriter


class GenerationTables:
    """Write one generation of a model; `commit` or `forget` must follow each transaction."""

    def __init__(self, model: ReadModel, number: int, cache_bytes: int) -> None:
        """Name the tables of generation *number* of *model*."""
        self.model = model
        self.number = number
        tables = [Table(collection, model.version, number) for collection in model.collections]
        self.writers: Mapping[str, TableWriter] = {
            table.collection.name: TableWriter(table, cache_bytes) for table in tables
        }

    @property
    def tables(self) -> dict[str, Table]:
        """Return the tables by collection."""
        return {name: writer.table for name, writer in self.writers.items()}

    def create(self, connection: sqlite3.Connection) -> None:
        """Create the tables that are missing."""
        for table in self.tables.values():
            table.create(connection)

    def drop(self, connection: sqlite3.Connection) -> None:
        """Drop the tables."""
        for table in self.tables.values():
            drop_table(connection, table.name)

    def write(self, connection: sqlite3.Connection, grouped: GroupedWrites) -> None:
        """Apply writes; raises ValueError where a collection is not the model's."""
        for collection, documents in grouped.items():
            writer = self.writers.get(collection)
            if writer is None:
                raise ValueError(f"{collection} is not a collection of {self.model.name}")
            writer.write(connection, documents)

    def commit(self) -> None:
        """Remember what the committed transaction has written."""
        for writer in self.writers.values():
            writer.commit()

    def forget(self) -> None:
        """Forget the documents of a failed transaction."""
        for writer in self.writers.values():
            writer.forget()
