"""Write documents into one generation's table, its side tables and its text table."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from projections.fold import NOTHING, StoredDocument, fold, needs_document
from projections.recent_documents import RecentDocuments
from projections.search_words import index_terms
from projections.sqlite.rows import write_rows
from projections.sqlite.schema import Table
from projections.writes import Document, Write

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()

_UPSERT = " ON CONFLICT (id) DO UPDATE SET position = excluded.position, body = excluded.body"


# The names in these statements are checked where a Table is made; values are parameters.


class ChangedDocument(NamedTuple):
    """A document before and after a transaction, and its JSON (None: a tombstone)."""

    id: str
    before: StoredDocument
    after: StoredDocument
    body: str | None


class TableWriter:
    """Apply writes to a table: `write` belongs to a transaction, `commit` or `forget` says how that ended."""

    def __init__(self, table: Table, cache_bytes: int) -> None:
        """Write to *table*, and remember the documents written last, up to *cache_bytes*."""
        self.table = table
        self._recent = RecentDocuments(cache_bytes)
        self._pending: list[ChangedDocument] = []
        self._reads_all = bool(table.sides or table.text)

    def remembered(self, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a copy of a document that was written recently; None for any other."""
        stored = self._recent.get(id)
        if stored is None or stored.document is None:
            return None
        copy: Document = _decoder.decode(_encoder.encode(stored.document))
        return copy

    def write(
        self, connection: sqlite3.Connection, documents: Mapping[str, Sequence[tuple[int, Write]]]
    ) -> None:
        """Apply the writes to each document; each document that changes is one row."""
        stored = self._load(connection, documents)
        changed = []
        for id_, writes in documents.items():
            before = stored.get(id_, NOTHING)
            after = fold(before, writes)
            if after.position != before.position:
                changed.append(ChangedDocument(id_, before, after, _encode(after.document)))
        if changed:
            write_rows(
                connection,
                f"INSERT INTO {self.table.name} (id, position, body)",
                [(change.id, change.after.position, change.body) for change in changed],
                _UPSERT,
            )
            if self.table.sides:
                self._write_sides(connection, changed)
            if self.table.text is not None:
                self._write_text(connection, self.table.text, changed)
            self._pending += changed

    def commit(self) -> None:
        """Remember what the committed transaction has written."""
        for change in self._pending:
            self._recent.put(change.id, change.after, len(change.body or ""))
        self._pending.clear()

    def forget(self) -> None:
        """Forget the documents of a failed transaction: a commit that failed may still have happened."""
        for change in self._pending:
            self._recent.drop(change.id)
        self._pending.clear()

    def _load(
        self, connection: sqlite3.Connection, documents: Mapping[str, Sequence[tuple[int, Write]]]
    ) -> dict[str, StoredDocument]:
        """Return what is stored of *documents*, reading as little as their writes need."""
        stored: dict[str, StoredDocument] = {}
        positions, whole = [], []
        for id_, writes in documents.items():
            recent = self._recent.get(id_)
            if recent is not None:
                stored[id_] = recent
            elif self._reads_all or needs_document(writes):
                whole.append(id_)
            else:
                positions.append(id_)
        if positions:
            stored |= _select(connection, self.table.name, positions, "NULL")
        if whole:
            stored |= _select(connection, self.table.name, whole, "d.body")
        return stored

    def _write_sides(self, connection: sqlite3.Connection, changed: Sequence[ChangedDocument]) -> None:
        for field, side in self.table.sides.items():
            removed, added = [], []
            for change in changed:
                if _has_kept(change, (field.partition(".")[0],)):
                    continue
                before = _values(change.before.document, field)
                after = _values(change.after.document, field)
                removed += [(value, change.id) for value in before if value not in after]
                added += [(value, change.id) for value in after if value not in before]
            delete = f"DELETE FROM {side} WHERE (value, id) IN ("  # noqa: S608 # see above
            write_rows(connection, delete, removed, ")")
            write_rows(connection, f"INSERT INTO {side} (value, id)", added)

    def _write_text(
        self, connection: sqlite3.Connection, text: str, changed: Sequence[ChangedDocument]
    ) -> None:
        fields, table = self.table.collection.text, self.table.name
        moved = [
            change
            for change in changed
            if not _has_kept(change, fields)
            and _texts(change.before.document, fields) != _texts(change.after.document, fields)
        ]
        removed = [change.id for change in moved if change.before.document is not None]
        added = [change for change in moved if change.after.document is not None]
        chosen = f"FROM json_each(?) AS k CROSS JOIN {table} AS d ON d.id = k.value"
        if removed:
            numbers = f"SELECT d.number {chosen}"
            delete = f"DELETE FROM {text} WHERE rowid IN ({numbers})"  # noqa: S608 # see above
            connection.execute(delete, (_encode(removed),))
        if added:
            values = ", ".join(f"json_extract(k.value, '$[{place}]')" for place in range(1, len(fields) + 1))
            terms = f"FROM json_each(?) AS k CROSS JOIN {table} AS d ON d.id = json_extract(k.value, '$[0]')"
            connection.execute(
                f"INSERT INTO {text} (rowid, {', '.join(fields)}) SELECT d.number, {values} {terms}",
                (_encode([_terms(change, fields) for change in added]),),
            )


def _select(
    connection: sqlite3.Connection, table: str, ids: Collection[str], body: str
) -> dict[str, StoredDocument]:
    """Read many documents as one value: one step of the statement instead of one for each row."""
    row = f"'[' || json_quote(d.id) || ',' || d.position || ',' || coalesce({body}, 'null') || ']'"
    join = f"json_each(?) AS k CROSS JOIN {table} AS d ON d.id = k.value"
    statement = f"SELECT '[' || group_concat({row}) || ']' FROM {join}"  # noqa: S608 # see above
    (text,) = connection.execute(statement, (_encode(ids),)).fetchone()
    if text is None:
        return {}
    return {id_: StoredDocument(position, document) for id_, position, document in _decoder.decode(text)}


def _encode(value: object) -> str | None:
    return None if value is None else _encoder.encode(value).decode()


def _has_kept(change: ChangedDocument, fields: Sequence[str]) -> bool:
    """Return whether the document has the same values of *fields* before and after, by identity.

    A patch of other fields keeps them; where this returns False, they may be equal nevertheless.
    """
    before, after = change.before.document, change.after.document
    if before is None or after is None:
        return False
    return all(before.get(field) is after.get(field) for field in fields)


def _values(document: Document | None, field: str) -> set[Any]:
    """Return the values inside the lists at *field* (`list.key`, or `list` of plain values)."""
    if document is None:
        return set()
    name, _, key = field.partition(".")
    items = document.get(name) or ()
    values = {item.get(key) for item in items} if key else set(items)
    return values - {None}


def _terms(change: ChangedDocument, fields: Sequence[str]) -> list[str]:
    """Return the id of a document, and the search terms of each of its *fields* as a text."""
    document = change.after.document or {}
    return [change.id, *(" ".join(index_terms([document.get(field)])) for field in fields)]


def _texts(document: Document | None, fields: Sequence[str]) -> list[Any] | None:
    return None if document is None else [document.get(field) for field in fields]
