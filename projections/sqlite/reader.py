"""Read documents from the table of a generation."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress

import msgspec

from projections.budget import draw_text
from projections.sqlite.queries import merge, selects, totals
from projections.sqlite.schema import Table
from projections.store import Condition, CutShort, Query
from projections.writes import Document

_decoder: msgspec.json.Decoder[Document] = msgspec.json.Decoder(Document)
_TOO_LONG = ""
_list_decoder: msgspec.json.Decoder[list[Document]] = msgspec.json.Decoder(list[Document])

# The names in these statements are checked where a Table is made; values are parameters.


def read_one(connection: sqlite3.Connection, table: Table, id_: str) -> Document | None:
    """Return a document."""
    statement = f"SELECT body FROM {table.name} WHERE id = ?"  # noqa: S608 # see above
    row = connection.execute(statement, (id_,)).fetchone()
    if row is None or row[0] is None:
        return None
    draw_text(row[0])
    return _decoder.decode(row[0])


def read_many(connection: sqlite3.Connection, table: Table, ids: Sequence[str]) -> dict[str, Document]:
    """Return the documents that exist, by id."""
    join = f"json_each(?) AS k CROSS JOIN {table.name} AS d ON d.id = k.value"
    statement = f"SELECT d.body FROM {join} WHERE d.body IS NOT NULL"  # noqa: S608 # see above
    rows = connection.execute(statement, (msgspec.json.encode(ids).decode(),))
    documents: dict[str, Document] = {}
    for (body,) in rows:
        draw_text(body)
        document = _decoder.decode(body)
        documents[document["id"]] = document
    return documents


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
        page = _documents(connection, statement, params, query.most_bytes)
        documents += page
        if isinstance(page, CutShort):
            return CutShort(documents)
        if len(documents) >= query.limit:
            break
    return documents[: query.limit]


def _documents(
    connection: sqlite3.Connection, statement: str, params: Sequence[object], most_bytes: int | None
) -> list[Document]:
    """Fetch a page as one value: one step of the statement instead of one for each row."""
    whole = f"SELECT '[' || group_concat(body) || ']' FROM ({statement})"  # noqa: S608 # see above
    before = connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
    if most_bytes is not None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(most_bytes, before))
    text: str | None = _TOO_LONG
    try:
        with suppress(sqlite3.DataError):  # together they are longer than a value may be
            (text,) = connection.execute(whole, params).fetchone()
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
    if text is None:
        return []
    if text == _TOO_LONG:
        return _row_by_row(connection, statement, params, most_bytes)
    draw_text(text)
    return _list_decoder.decode(text)


def _row_by_row(
    connection: sqlite3.Connection, statement: str, params: Sequence[object], most_bytes: int | None
) -> list[Document]:
    """Fetch the rows of a page until they pass *most_bytes*."""
    documents: list[Document] = []
    size = 0
    with closing(connection.execute(statement, params)) as rows:
        for (body,) in rows:
            size += draw_text(body)
            if documents and most_bytes is not None and size > most_bytes:
                return CutShort(documents)
            documents.append(_decoder.decode(body))
    return documents


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
