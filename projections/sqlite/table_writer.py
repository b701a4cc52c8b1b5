"""Write documents into one generation's table, its side tables and its text table."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from projections.fold import NOTHING, Stored, fold, needs_document
from projections.recent_documents import Recent
from projections.sqlite.rows import write_rows
from projections.sqlite.schema import Table
from projections.writes import Document, Write

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()

_UPSERT = " ON CONFLICT (id) DO UPDATE SET position = excluded.position, body = excluded.body"


class Changed(NamedTuple):
    """A document before and after a step, and its JSON (None: a tombstone)."""

    id: str
    before: Stored
    after: Stored
    body: str | None


class TableWriter:
    """Apply writes to a table. `write` is part of a transaction; `commit` or `forget` says how that ended."""

    def __init__(self, table: Table, cache_bytes: int) -> None:
        """Write to *table*, and remember *cache_bytes* of what was written last."""
        self.table = table
        self._recent = Recent(cache_bytes)
        self._pending: list[Changed] = []
        self._reads_all = bool(table.sides or table.text)

    def remembered(self, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a copy of a document that was written of late; None for any other."""
        found = self._recent.get(id)
        if found is None or found.document is None:
            return None
        copy: Document = _decoder.decode(_encoder.encode(found.document))
        return copy

    def write(
        self, connection: sqlite3.Connection, documents: Mapping[str, Sequence[tuple[int, Write]]]
    ) -> None:
        """Apply the writes to each document, one row for each that changes."""
        stored = self._load(connection, documents)
        changed = []
        for id_, writes in documents.items():
            before = stored.get(id_, NOTHING)
            after = fold(before, writes)
            if after.position != before.position:
                changed.append(Changed(id_, before, after, _encode(after.document)))
        if changed:
            write_rows(
                connection,
                f"INSERT INTO {self.table.name} (id, position, body)",
                [(change.id, change.after.position, change.body) for change in changed],
                _UPSERT,
            )
            self._write_sides(connection, changed)
            if self.table.text is not None:
                self._write_text(connection, self.table.text, changed)
            self._pending += changed

    def commit(self) -> None:
        """Remember what the finished transaction has written."""
        for change in self._pending:
            self._recent.put(change.id, change.after, len(change.body or ""))
        self._pending.clear()

    def forget(self) -> None:
        """Forget what the failed transaction was about: a commit that fails may have happened all the same."""
        for change in self._pending:
            self._recent.drop(change.id)
        self._pending.clear()

    def _load(
        self, connection: sqlite3.Connection, documents: Mapping[str, Sequence[tuple[int, Write]]]
    ) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        positions, whole = [], []
        for id_, writes in documents.items():
            known = self._recent.get(id_)
            if known is not None:
                found[id_] = known
            elif self._reads_all or needs_document(writes):
                whole.append(id_)
            else:
                positions.append(id_)
        name = self.table.name
        return (
            found | _select(connection, name, positions, "NULL") | _select(connection, name, whole, "d.body")
        )

    def _write_sides(self, connection: sqlite3.Connection, changed: Sequence[Changed]) -> None:
        for field, side in self.table.sides.items():
            gone, come = [], []
            for change in changed:
                before = _values(change.before.document, field)
                after = _values(change.after.document, field)
                gone += [(value, change.id) for value in before if value not in after]
                come += [(value, change.id) for value in after if value not in before]
            write_rows(connection, f"DELETE FROM {side} WHERE (value, id) IN (", gone, ")")  # noqa: S608 # names are ours, values are parameters
            write_rows(connection, f"INSERT INTO {side} (value, id)", come)

    def _write_text(self, connection: sqlite3.Connection, text: str, changed: Sequence[Changed]) -> None:
        fields, table = self.table.collection.text, self.table.name
        moved = [
            change
            for change in changed
            if _texts(change.before.document, fields) != _texts(change.after.document, fields)
        ]
        gone = [change.id for change in moved if change.before.document is not None]
        come = [change.id for change in moved if change.after.document is not None]
        chosen = f"FROM json_each(?) AS k CROSS JOIN {table} AS d ON d.id = k.value"
        if gone:
            numbers = f"SELECT d.number {chosen}"
            connection.execute(f"DELETE FROM {text} WHERE rowid IN ({numbers})", (_encode(gone),))  # noqa: S608 # names are ours, values are parameters
        if come:
            values = ", ".join(f"json_extract(d.body, '$.{field}')" for field in fields)
            connection.execute(
                f"INSERT INTO {text} (rowid, {', '.join(fields)}) SELECT d.number, {values} {chosen}",
                (_encode(come),),
            )


def _select(connection: sqlite3.Connection, table: str, ids: Collection[str], body: str) -> dict[str, Stored]:
    """Read many documents as one value: one step of the statement instead of one for each row."""
    if not ids:
        return {}
    row = f"'[' || json_quote(d.id) || ',' || d.position || ',' || coalesce({body}, 'null') || ']'"
    statement = f"SELECT '[' || group_concat({row}) || ']' FROM json_each(?) AS k CROSS JOIN {table} AS d ON d.id = k.value"  # noqa: S608 # names are ours, values are parameters
    (text,) = connection.execute(statement, (_encode(ids),)).fetchone()
    if text is None:
        return {}
    return {id_: Stored(position, document) for id_, position, document in _decoder.decode(text)}


def _encode(value: object) -> str | None:
    return None if value is None else _encoder.encode(value).decode()


def _values(document: Document | None, field: str) -> set[Any]:
    """Return the values inside the lists at *field* (`list.key`, or `list` of plain values)."""
    if document is None:
        return set()
    name, _, key = field.partition(".")
    items = document.get(name) or ()
    values = {item.get(key) for item in items} if key else set(items)
    return values - {None}


def _texts(document: Document | None, fields: Sequence[str]) -> list[Any] | None:
    return None if document is None else [document.get(field) for field in fields]
