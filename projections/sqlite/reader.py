"""Read documents from the table of a generation."""

import sqlite3
from collections.abc import Sequence

import msgspec

from projections.sqlite.queries import merge, selects, totals
from projections.sqlite.schema import Table
from projections.store import Condition, Query
from projections.writes import Document

_decoder: msgspec.json.Decoder[Document] = msgspec.json.Decoder(Document)
_list_decoder: msgspec.json.Decoder[list[Document]] = msgspec.json.Decoder(list[Document])

# The names in these statements are checked where a Table is made; values are parameters.


def read_one(connection: sqlite3.Connection, table: Table, id_: str) -> Document | None:
    """Return a document."""
    statement = f"SELECT body FROM {table.name} WHERE id = ?"  # noqa: S608 # see above
    row = connection.execute(statement, (id_,)).fetchone()
    return None if row is None or row[0] is None else _decoder.decode(row[0])


def read_many(connection: sqlite3.Connection, table: Table, ids: Sequence[str]) -> dict[str, Document]:
    """Return the documents that exist, by id."""
    join = f"json_each(?) AS k CROSS JOIN {table.name} AS d ON d.id = k.value"
    statement = f"SELECT d.body FROM {join} WHERE d.body IS NOT NULL"  # noqa: S608 # see above
    rows = connection.execute(statement, (msgspec.json.encode(ids).decode(),))
    documents = (_decoder.decode(body) for (body,) in rows)
    return {document["id"]: document for document in documents}


def read_query(connection: sqlite3.Connection, table: Table, query: Query) -> list[Document]:
    """Return the documents of *query*."""
    if len(query.scopes) <= 1:
        return _scope(connection, table, query, query.scopes[0] if query.scopes else ())
    return merge((_scope(connection, table, query, scope) for scope in query.scopes), query)


def _scope(
    connection: sqlite3.Connection, table: Table, query: Query, scope: Sequence[Condition]
) -> list[Document]:
    documents: list[Document] = []
    for statement, params in selects(table, query, scope):
        documents += _documents(connection, statement, params)
        if len(documents) >= query.limit:
            break
    return documents[: query.limit]


def _documents(connection: sqlite3.Connection, statement: str, params: Sequence[object]) -> list[Document]:
    """Fetch a page as one value: one step of the statement instead of one for each row."""
    whole = f"SELECT '[' || group_concat(body) || ']' FROM ({statement})"  # noqa: S608 # see above
    try:
        (text,) = connection.execute(whole, params).fetchone()
    except sqlite3.DataError:  # together they are longer than a value may be in SQLite
        return [_decoder.decode(body) for (body,) in connection.execute(statement, params)]
    return [] if text is None else _list_decoder.decode(text)


def count(connection: sqlite3.Connection, table: Table) -> int:
    """Return how many documents the table has."""
    statement = f"SELECT count(*) FROM {table.name} WHERE body IS NOT NULL"  # noqa: S608 # see above
    (number,) = connection.execute(statement).fetchone()
    return int(number)


def read_totals(
    connection: sqlite3.Connection, table: Table, where: Sequence[Condition], fields: Sequence[str]
) -> dict[str, float]:
    """Return the sums of *fields* over the documents of *where*, and their number under `count`."""
    statement, params = totals(table, where, fields)
    row = connection.execute(statement, params).fetchone()
    return dict(zip(("count", *fields), row, strict=True))
