"""The event log on SQLite: the adapter of the embedded profile."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore

from commands.chain import chain_after, first_chain, source_of
from commands.chaining import chain_batch
from commands.log import (
    EVERYTHING,
    CommandEvents,
    LogCorruptError,
    Selection,
    Snapshot,
    Tip,
)
from commands.mapper import EventMapper, stored_topic
from commands.sqlite.checkpoints import Checkpointer
from commands.sqlite.connections import Readers, TunedPool, translated
from commands.sqlite.recorder import PARTITION, PARTITIONS, ChainedRecorder
from commands.sqlite.rows import SELECT_COLUMNS, to_records
from commands.stream_event import StreamEvent
from domain.event import Event
from domain.record import Record
from domain.upcasting import event_versions

_TABLE = "stored_events"
_STREAM_COLUMNS = "originator_version, topic, state"


class SQLiteEventLog:
    """Keep the history in one file, one fsync for each batch."""

    def __init__(self, path: Path, mapper: EventMapper) -> None:
        """Open the log at *path*, or make it; raise LogCorruptError where its last record does not fit its chain."""
        self._mapper = mapper
        self._callbacks: list[Callable[[Tip], None]] = []
        with translated():
            self._datastore = SQLiteDatastore(str(path), originator_id_type="text")
            self._datastore.pool.close()
            self._datastore.pool = TunedPool(db_name=str(path))
            self._recorder = ChainedRecorder(self._datastore)
            self._recorder.create_table()
            self._snapshots = SQLiteAggregateRecorder(self._datastore, events_table_name="snapshots")
            self._snapshots.create_table()
            with self._datastore.transaction(commit=False) as c:
                self.log_id = self._recorder.load_log_id(c)
                self._tip = self._recorder.read_tip(c)
        self.source = source_of(self.log_id)
        self._readers = Readers(str(path))
        self._lock = threading.Lock()
        self._check_tip()
        self._checkpointer = Checkpointer(path)

    def tip(self) -> Tip:
        """Return the last record's place."""
        return self._tip

    def append(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append *batch* in one transaction with one fsync."""
        with self._lock:
            try:
                return self._append(expected, batch, snapshots)
            except Exception:
                self._reload_tip()
                raise

    def _append(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot]
    ) -> list[Record]:
        with translated():
            self._mapper.prepare(item.event for command in batch for item in command.events)
            records = chain_batch(self._mapper, self.source, expected, batch)
            compress = self._mapper.compress
            self._recorder.append_records(expected, [(record, compress(record.data)) for record in records])
            if records:
                last = records[-1]
                self._tip = Tip(last.sequence, last.chain, last.occurred_at)
        self._keep(snapshots)
        self._checkpointer.grew(sum(len(record.data) for record in records))
        for callback in self._callbacks:
            callback(self._tip)
        return records

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        """Return up to *limit* records of *selection* behind *after*."""
        where, params = ["rowid > ?"], [after]
        for clause, values in _clauses(selection):
            where.append(clause)
            params += values
        statement = (
            f"SELECT {SELECT_COLUMNS} FROM {_TABLE} WHERE {' AND '.join(where)} ORDER BY rowid LIMIT ?"  # noqa: S608
        )
        with translated():
            return to_records(self._readers.connection().execute(statement, [*params, limit]), self.source)

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events behind *after*."""
        statement = (
            f"SELECT {_STREAM_COLUMNS} FROM {_TABLE} WHERE originator_id = ? AND originator_version > ? "  # noqa: S608
            "ORDER BY originator_version"
        )
        with translated():
            rows = self._readers.connection().execute(statement, (stream, after)).fetchall()
        return [self._stream_event(stream, *row) for row in rows]

    def last_event(self, stream: str) -> StreamEvent | None:
        """Return the stream's last event."""
        statement = (
            f"SELECT {_STREAM_COLUMNS} FROM {_TABLE} WHERE originator_id = ? "  # noqa: S608
            "ORDER BY originator_version DESC LIMIT 1"
        )
        with translated():
            row = self._readers.connection().execute(statement, (stream,)).fetchone()
        return None if row is None else self._stream_event(stream, *row)

    def _stream_event(self, stream: str, version: int, topic: str, state: bytes) -> StreamEvent:
        found: StreamEvent = self._mapper.to_domain_event(StoredEvent(stream, version, topic, state))
        return found

    def snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        with translated():
            found = self._snapshots.select_events(stream, desc=True, limit=1)
        return next(
            (
                Snapshot(stream=stream, version=row.originator_version, topic=row.topic, state=row.state)
                for row in found
            ),
            None,
        )

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version."""
        return self._mapper.event(record.topic, record.schema, record.data)

    def command_records(self, command: str) -> list[Record]:
        """Return what the command appended: its first record by the index, the others lie behind it."""
        statement = f"SELECT {SELECT_COLUMNS} FROM {_TABLE} WHERE command = ? AND commit_index = 1"  # noqa: S608
        with translated():
            first = to_records(self._readers.connection().execute(statement, (command,)), self.source)
        if not first or first[0].commit_count == 1:
            return first
        return self.read(first[0].sequence - 1, first[0].commit_count)

    def sequence_at(self, time: int) -> int:
        """Search the records, whose event times never go back, for the last one up to *time*."""
        low, high = 0, self._tip.sequence
        statement = f"SELECT occurred_at FROM {_TABLE} WHERE rowid = ?"  # noqa: S608
        with translated():
            connection = self._readers.connection()
            while low < high:
                middle = (low + high + 1) // 2
                if connection.execute(statement, (middle,)).fetchone()[0] <= time:
                    low = middle
                else:
                    high = middle - 1
        return low

    def on_append(self, callback: Callable[[Tip], None]) -> None:
        """Call *callback* after each append."""
        self._callbacks.append(callback)

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        return first_chain(self.log_id, PARTITION, PARTITIONS)

    def close(self) -> None:
        """Close the file; what is acknowledged is in it already."""
        self._checkpointer.close()
        self._readers.close()
        self._datastore.close()

    def _reload_tip(self) -> None:
        """Learn after a failure whether the batch was stored: the file tells, not the error."""
        try:
            with self._datastore.transaction(commit=False) as c:
                self._tip = self._recorder.read_tip(c)
        except Exception:  # noqa: BLE001, S110 # the disk is still away; the next append reads the tip again
            pass

    def _keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep snapshots on their own: they are a cache, so losing one costs time alone."""
        rows = [StoredEvent(s.stream, s.version, s.topic, s.state) for s in snapshots]
        if rows:
            with translated():
                self._snapshots.insert_events(rows)

    def _check_tip(self) -> None:
        """Compare the last record with its chain, so that a damaged file is noticed before it grows."""
        last = self.read(max(self._tip.sequence - 2, 0), 2)
        if len(last) != min(self._tip.sequence, 2):
            raise LogCorruptError("the event log has lost records before its last one")
        previous = self.first_chain() if len(last) == 1 else last[0].chain if last else b""
        if last and chain_after(previous, last[-1]) != last[-1].chain:
            raise LogCorruptError(f"record {self._tip.sequence} of the event log does not fit its chain")


def _clauses(selection: Selection) -> list[tuple[str, list[Any]]]:
    clauses: list[tuple[str, list[Any]]] = []
    if selection.stream is not None:
        clauses.append(("originator_id = ?", [selection.stream]))
    if selection.home is not None:
        clauses.append(("home = ?", [selection.home]))
    if selection.until is not None:
        clauses.append(("occurred_at <= ?", [selection.until]))
    if selection.topics is not None:
        names = [
            stored_topic(topic, v) for topic in selection.topics for v in range(1, event_versions(topic) + 1)
        ]
        clauses.append((f"topic IN ({','.join('?' * len(names))})", list(names)))
    return clauses
