"""The library's SQLite recorder with our columns in the same row, and so in the same transaction."""

import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, ProcessRecorder, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTrackingRecorder,
)
from uuid_utils import uuid7

from commands.chain import chain_in_place, first_chain, source_of
from commands.log import Tip, TipMovedError
from commands.sqlite.rows import create_statements, insert_rows, to_row
from domain.record import Record
from domain.times import system_clock

PARTITION, PARTITIONS = 0, 1


class ChainedRecorder(SQLiteApplicationRecorder):
    """Keep each event with its sequence, chain and command; any `eventsourcing` application may use it."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "stored_events") -> None:
        """Use *datastore*; `create_table` makes the tables and the log's id."""
        super().__init__(datastore, events_table_name)
        self.log_id = ""

    def construct_create_table_statements(self) -> list[str]:
        """Return the statements for the library's columns and ours."""
        return create_statements(self.events_table_name)

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        table = f"{self.events_table_name}_log"
        c.execute(
            f"INSERT INTO {table} SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM {table})",  # noqa: S608 # names are ours, values are parameters
            (str(uuid7()), PARTITIONS),
        )

    def load_log_id(self, c: SQLiteCursor) -> str:
        """Return the log's id, which its chain starts from."""
        if not self.log_id:
            c.execute(f"SELECT log_id FROM {self.events_table_name}_log")  # noqa: S608 # names are ours, values are parameters
            self.log_id = c.fetchone()[0]
        return self.log_id

    def read_tip(self, c: SQLiteCursor) -> Tip:
        """Return the last record's place."""
        c.execute(
            f"SELECT rowid, chain, occurred_at FROM {self.events_table_name} ORDER BY rowid DESC LIMIT 1"  # noqa: S608 # names are ours, values are parameters
        )
        row = c.fetchone()
        if row is None:
            return Tip(0, first_chain(self.load_log_id(c), PARTITION, PARTITIONS), 0)
        return Tip(row[0], row[1], row[2])

    def append_records(self, expected: Tip, records: Sequence[tuple[Record, bytes]]) -> None:
        """Append records that were chained behind *expected*, each with its stored state; raise TipMovedError."""
        with self.datastore.transaction(commit=True) as c:
            tip = self.read_tip(c)
            if (tip.sequence, tip.chain) != (expected.sequence, expected.chain):
                raise TipMovedError(f"the log is at {tip.sequence}, not at {expected.sequence}")
            insert_rows(c, self.events_table_name, [to_row(record, state) for record, state in records])

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        """Insert events of an application that knows nothing of commands: each call is one command."""
        tip = self.read_tip(c)
        records = _chained(tip, stored_events, source_of(self.load_log_id(c)))
        rows = []
        for record, event in zip(records, stored_events, strict=True):
            row = to_row(record, event.state)
            rows.append(
                (*row[:3], event.topic, *row[4:])
            )  # the application's own topic has no version of ours
        try:
            insert_rows(c, self.events_table_name, rows)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error
        return [record.sequence for record in records]


def _chained(tip: Tip, events: Sequence[StoredEvent], source: str) -> list[Record]:
    command, chain, records = str(uuid7()), tip.chain, []
    occurred_at = max(system_clock(), tip.occurred_at)
    for index, event in enumerate(events, 1):
        stream = event.originator_id.hex if isinstance(event.originator_id, UUID) else event.originator_id
        record = Record(
            source=source,
            home=stream,
            stream=stream,
            version=event.originator_version,
            topic=event.topic,
            schema=1,
            data=event.state,
            sequence=tip.sequence + index,
            at=tip.sequence + index - 1,
            command=command,
            commit_index=index,
            commit_count=len(events),
            occurred_at=occurred_at,
            actor="",
            correlation=command,
            causation=None,
            traceparent=None,
            fingerprint=None,
        )
        chain = chain_in_place(record, chain)
        records.append(record)
    return records


class ChainedProcessRecorder(SQLiteTrackingRecorder, ChainedRecorder, ProcessRecorder):
    """Keep events and what has been processed of other applications in one transaction."""

    def __init__(self, datastore: SQLiteDatastore, *, events_table_name: str = "stored_events") -> None:
        """Use *datastore* for both."""
        super().__init__(datastore, events_table_name=events_table_name)

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        returning = super()._insert_events(c, stored_events, **kwargs)
        tracking = kwargs.get("tracking")
        if tracking is not None:
            self._insert_tracking(c, tracking)
        return returning
