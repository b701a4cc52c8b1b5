"""The library's SQLite recorder with our columns in the same row, and so in the same transaction."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import IntegrityError, ProcessRecorder, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTrackingRecorder,
)
from uuid_utils import uuid7

from commands.application_records import application_records, stream_of
from commands.chain import chain_in_place, first_chain, source_of
from commands.log import Tip, TipMovedError
from commands.sqlite.rows import (
    add_operators_column,
    application_row,
    create_statements,
    insert_rows,
    select_operators_column,
    to_row,
)
from domain.record import Record
from domain.times import system_clock

PARTITION, PARTITIONS = 0, 1


class ChainedRecorder(SQLiteApplicationRecorder):
    """Stores each event with sequence, chain value and command, for any `eventsourcing` application."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "stored_events") -> None:
        """Use *datastore*; `create_table` makes the tables and the log's id."""
        super().__init__(datastore, events_table_name)
        self.log_id = ""
        log = f"{events_table_name}_log"
        self._name_log = f"INSERT INTO {log} SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM {log})"  # noqa: S608 # the names are ours
        self._select_log_id = f"SELECT log_id FROM {log}"  # noqa: S608 # as above
        columns = "rowid, chain, occurred_at"
        self._select_tip = f"SELECT {columns} FROM {events_table_name} ORDER BY rowid DESC LIMIT 1"  # noqa: S608 # as above

    def construct_create_table_statements(self) -> list[str]:
        """Return the statements for the library's columns and ours."""
        return create_statements(self.events_table_name)

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        c.execute(select_operators_column(self.events_table_name))
        if c.fetchone() is None:
            c.execute(add_operators_column(self.events_table_name))
        c.execute(self._name_log, (str(uuid7()), PARTITIONS))

    def load_log_id(self, c: SQLiteCursor) -> str:
        """Return the log's id, which its chain starts from."""
        if not self.log_id:
            c.execute(self._select_log_id)
            self.log_id = c.fetchone()[0]
        return self.log_id

    def read_tip(self, c: SQLiteCursor) -> Tip:
        """Return the sequence, chain value and event time of the last record."""
        c.execute(self._select_tip)
        row = c.fetchone()
        if row is None:
            return Tip(0, first_chain(self.load_log_id(c), PARTITION, PARTITIONS), 0)
        return Tip(row[0], row[1], row[2])

    def append_records(self, expected: Tip, records: Sequence[tuple[Record, bytes]]) -> None:
        """Append records that are chained after *expected*, each with its state; raise TipMovedError."""
        with self.datastore.transaction(commit=True) as c:
            tip = self.read_tip(c)
            if (tip.sequence, tip.chain) != (expected.sequence, expected.chain):
                raise TipMovedError(f"the log is at {tip.sequence}, not at {expected.sequence}")
            insert_rows(c, self.events_table_name, [to_row(record, state) for record, state in records])

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        """Insert the events of an application that knows nothing of commands: each call is one command."""
        records = _chained(self.read_tip(c), stored_events, source_of(self.load_log_id(c)))
        rows = [application_row(record, record.data) for record in records]
        try:
            insert_rows(c, self.events_table_name, rows)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error
        return [record.sequence for record in records]


def _chained(tip: Tip, events: Sequence[StoredEvent], source: str) -> list[Record]:
    records = application_records(
        events,
        [stream_of(event) for event in events],
        str(uuid7()),
        source,
        after=tip.sequence,
        first_at=tip.sequence,
        occurred_at=max(system_clock(), tip.occurred_at),
    )
    chain = tip.chain
    for record in records:
        chain = chain_in_place(record, chain)
    return records


class ChainedProcessRecorder(SQLiteTrackingRecorder, ChainedRecorder, ProcessRecorder):
    """Stores events, and what has been processed of other applications, in one transaction."""

    def __init__(self, datastore: SQLiteDatastore, *, events_table_name: str = "stored_events") -> None:
        """Use *datastore* for both."""
        super().__init__(datastore, events_table_name=events_table_name)

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        sequences = super()._insert_events(c, stored_events, **kwargs)
        tracking = kwargs.get("tracking")
        if tracking is not None:
            self._insert_tracking(c, tracking)
        return sequences
