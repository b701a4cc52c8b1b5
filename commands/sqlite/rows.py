"""Between a record and a row of the events table."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from commands.mapper import LargeStateCompressor, parse_stored_topic, stored_topic
from domain.record import Record

COLUMNS = (
    "rowid",
    "originator_id",
    "originator_version",
    "topic",
    "state",
    "home",
    "command",
    "commit_index",
    "commit_count",
    "occurred_at",
    "actor",
    "correlation",
    "causation",
    "traceparent",
    "fingerprint",
    "operated_by",
    "chain",
)
SELECT_COLUMNS = ", ".join(COLUMNS)
_CHUNKS = (256, 128, 64, 32, 16, 8, 4, 2, 1)
_compressor = LargeStateCompressor()


class Executes(Protocol):
    """A cursor of the library or of the standard library."""

    def execute(self, statement: str, params: Any, /) -> Any:
        """Run one statement."""
        ...


def create_statements(table: str, further: str = "") -> list[str]:
    """Return the statements that create the events table: the library's columns, ours and *further* ones."""
    return [
        f"""CREATE TABLE IF NOT EXISTS {table} (
            originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,
            home TEXT NOT NULL, command TEXT NOT NULL, commit_index INTEGER NOT NULL,
            commit_count INTEGER NOT NULL, occurred_at INTEGER NOT NULL, actor TEXT NOT NULL,
            correlation TEXT, causation TEXT, traceparent TEXT, fingerprint TEXT, operated_by TEXT,
            chain BLOB NOT NULL, {further}PRIMARY KEY (originator_id, originator_version))""",
        f"CREATE INDEX IF NOT EXISTS {table}_home ON {table} (home)",
        f"CREATE INDEX IF NOT EXISTS {table}_command ON {table} (command) WHERE commit_index = 1",
        f"CREATE TABLE IF NOT EXISTS {table}_log (log_id TEXT NOT NULL, partitions INTEGER NOT NULL)",
    ]


def select_operators_column(table: str) -> str:
    """Return the statement that finds the column `operated_by`: tables of earlier releases do not have it."""
    return f"SELECT 1 FROM pragma_table_info('{table}') WHERE name = 'operated_by'"  # noqa: S608 # ours


def add_operators_column(table: str) -> str:
    """Return the statement that adds the column to a table of an earlier release."""
    return f"ALTER TABLE {table} ADD COLUMN operated_by TEXT"


def insert_rows(
    cursor: Executes, table: str, rows: Sequence[tuple[Any, ...]], columns: Sequence[str] = COLUMNS
) -> None:
    """Insert *rows* in few statements, for each statement may have to wait for the interpreter's lock."""
    row = f"({','.join('?' * len(columns))})"
    names = ", ".join(columns)
    start = 0
    for size in _CHUNKS:
        many = ",".join([row] * size)
        statement = f"INSERT INTO {table} ({names}) VALUES {many}"  # noqa: S608 # the names are ours
        while len(rows) - start >= size:
            cursor.execute(statement, [value for values in rows[start : start + size] for value in values])
            start += size


def to_row(record: Record, state: bytes) -> tuple[Any, ...]:
    """Return the row of *record*; *state* is its data as the log stores it."""
    return (
        record.sequence,
        record.stream,
        record.version,
        stored_topic(record.topic, record.schema),
        state,
        record.home,
        record.command,
        record.commit_index,
        record.commit_count,
        record.occurred_at,
        record.actor,
        None if record.correlation == record.command else record.correlation,
        record.causation,
        record.traceparent,
        record.fingerprint,
        record.operated_by,
        record.chain,
    )


def application_row(record: Record, state: bytes) -> tuple[Any, ...]:
    """Return the row of a record of an `eventsourcing` application, whose topic carries no version."""
    row = to_row(record, state)
    return (*row[:3], record.topic, *row[4:])


def to_records(rows: Iterator[tuple[Any, ...]] | sqlite3.Cursor, source: str) -> list[Record]:
    """Read rows of `SELECT_COLUMNS` as records."""
    return [_to_record(row, source) for row in rows]


def first_records(rows: Iterable[tuple[Any, ...]], source: str, most_bytes: int) -> list[Record]:
    """Read rows as records, up to the one whose data passes *most_bytes*; the others are not fetched."""
    records: list[Record] = []
    size = 0
    for row in rows:
        records.append(_to_record(row, source))
        size += len(records[-1].data)
        if size > most_bytes:
            break
    return records


def _to_record(row: tuple[Any, ...], source: str) -> Record:
    (
        sequence,
        stream,
        version,
        stored,
        state,
        home,
        command,
        commit_index,
        commit_count,
        occurred_at,
        actor,
        correlation,
        causation,
        traceparent,
        fingerprint,
        operated_by,
        chain,
        *at,
    ) = row
    topic, schema = parse_stored_topic(stored)
    return Record(
        source=source,
        home=home,
        stream=stream,
        version=version,
        topic=topic,
        schema=schema,
        data=_compressor.decompress(state),
        sequence=sequence,
        at=at[0] if at else sequence - 1,
        command=command,
        commit_index=commit_index,
        commit_count=commit_count,
        occurred_at=occurred_at,
        actor=actor,
        correlation=correlation or command,
        causation=causation,
        traceparent=traceparent,
        fingerprint=fingerprint,
        operated_by=operated_by,
        chain=chain,
    )
