"""One build of a read model: the tables of its collections."""

import sqlite3
from collections.abc import Mapping

from projections.fold import Grouped
from projections.model import ReadModel
from projections.sqlite.schema import Table, drop_table
from projections.sqlite.table_writer import TableWriter


class Generation:
    """Write a build of a model; `commit` or `forget` follows each transaction."""

    def __init__(self, model: ReadModel, number: int, cache_bytes: int) -> None:
        """Name the tables of the *number*-th build of *model*."""
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
        """Make the tables that are missing."""
        for table in self.tables.values():
            table.create(connection)

    def drop(self, connection: sqlite3.Connection) -> None:
        """Drop the tables."""
        for table in self.tables.values():
            drop_table(connection, table.name)

    def write(self, connection: sqlite3.Connection, grouped: Grouped) -> None:
        """Apply writes; raise ValueError on a collection of another model."""
        for collection, documents in grouped.items():
            writer = self.writers.get(collection)
            if writer is None:
                raise ValueError(f"{collection} is no collection of {self.model.name}")
            writer.write(connection, documents)

    def commit(self) -> None:
        """Remember what the finished transaction has written."""
        for writer in self.writers.values():
            writer.commit()

    def forget(self) -> None:
        """Forget what the failed transaction would have written."""
        for writer in self.writers.values():
            writer.forget()
