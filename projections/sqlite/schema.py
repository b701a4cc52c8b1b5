"""A collection in SQLite: a table of JSON documents, expression indexes, side tables for lists and text."""

import re
import sqlite3

from projections.model import Collection

_NAME = re.compile(r"[a-z][a-z_]*")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*")
_GENERATION = re.compile(r"(.+)_v\d+_g\d+")


class Table:
    """One generation of a collection."""

    def __init__(self, collection: Collection, version: int, generation: int) -> None:
        """Name the tables of *collection*; raises ValueError where its name cannot name a table."""
        if not _NAME.fullmatch(collection.name):
            raise ValueError(f"not a collection name: {collection.name}")
        self.collection = collection
        self.name = f"{collection.name}_v{version}_g{generation}"
        self.text = f"{self.name}_text" if collection.text else None
        self.sides = {field: f"{self.name}_m{i}" for i, field in enumerate(collection.multikey)}

    def index_name(self, fields: tuple[str, ...]) -> str:
        """Return the name of the index on *fields*."""
        return f"{self.name}_i_{'_'.join(fields).replace('.', '_')}"

    def create(self, connection: sqlite3.Connection) -> None:
        """Create the tables and indexes that are missing."""
        for statement in self._statements():
            connection.execute(statement)

    def _statements(self) -> list[str]:
        # the number is a rowid that VACUUM keeps: the text table refers to it
        columns = "number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, body TEXT"
        statements = [f"CREATE TABLE IF NOT EXISTS {self.name} ({columns})"]
        for fields in self.collection.indexes:
            columns = ", ".join([*(expression(field) for field in fields), "id"])
            statements.append(
                f"CREATE INDEX IF NOT EXISTS {self.index_name(fields)} ON {self.name} ({columns}) "
                "WHERE body IS NOT NULL"
            )
        for fields in self.collection.sparse:
            columns = ", ".join([*(expression(field) for field in fields), "id"])
            statements.append(
                f"CREATE INDEX IF NOT EXISTS {self.index_name(fields)} ON {self.name} ({columns}) "
                f"WHERE body IS NOT NULL AND {expression(fields[-1])} IS NOT NULL"
            )
        for fields in self.collection.sums:
            columns = ", ".join(expression(field) for field in fields)
            statements.append(
                f"CREATE INDEX IF NOT EXISTS {self.index_name(fields)} ON {self.name} ({columns}) "
                "WHERE body IS NOT NULL"
            )
        statements += [
            f"CREATE TABLE IF NOT EXISTS {side} (value NOT NULL, id TEXT NOT NULL, PRIMARY KEY (value, id)) "
            "WITHOUT ROWID"
            for side in self.sides.values()
        ]
        if self.text is not None:
            columns = ", ".join(self.collection.text)
            statements.append(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {self.text} USING "
                f"fts5({columns}, tokenize = 'ascii')"  # the terms come normalised and separated by blanks
            )
        return statements


def expression(field: str, alias: str = "") -> str:
    """Return a document's field as SQL; raises ValueError where *field* cannot name one."""
    if not _FIELD.fullmatch(field):
        raise ValueError(f"not a field name: {field}")
    return f"{alias}id" if field == "id" else f"json_extract({alias}body, '$.{field}')"


def drop_table(connection: sqlite3.Connection, name: str) -> None:
    """Drop a generation's table with its side tables."""
    side = re.compile(rf"{re.escape(name)}_(?:text|m\d+)")
    for other in _tables(connection):
        if side.fullmatch(other):
            connection.execute(f"DROP TABLE {other}")
    connection.execute(f"DROP TABLE IF EXISTS {name}")


def generations(connection: sqlite3.Connection, collection: str) -> list[str]:
    """Return the tables of all generations of *collection*."""
    return [
        name
        for name in _tables(connection)
        if (match := _GENERATION.fullmatch(name)) is not None and match[1] == collection
    ]


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [
        str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
