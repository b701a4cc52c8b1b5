"""The event log on SQLite: the adapter of the embedded profile."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from eventsourcing.persistence import PersistenceError, StoredEvent
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore

from commands.chain import chain_after, first_chain
from commands.chained_records import chain_batch
from commands.log import CommandEvents, LogCorruptError, Snapshot, Tip
from commands.mapper import EventMapper
from commands.sqlite.connections import TunedPool, translated_errors
from commands.sqlite.reader import ReadOnlyLog
from commands.sqlite.recorder import PARTITION, PARTITIONS, ChainedRecorder
from domain.record import Record
from telemetry.instruments import appended
from telemetry.trace_lines import trace

logger = structlog.get_logger(__name__)


class SQLiteEventLog(ReadOnlyLog):
    """Stores the history in one file, with one fsync for each batch."""

    def __init__(self, path: Path, mapper: EventMapper) -> None:
        """Open or create the log at *path*; raise LogCorruptError if its last record is not chained."""
        self._listeners: list[tuple[Callable[[Sequence[Record]], None], frozenset[str] | None]] = []
        self._lock = threading.Lock()
        with translated_errors():
            self._datastore = SQLiteDatastore(str(path), originator_id_type="text")
            self._datastore.pool.close()
            self._datastore.pool = TunedPool(db_name=str(path))
            self._recorder = ChainedRecorder(self._datastore)
            self._recorder.create_table()
            self._snapshots = SQLiteAggregateRecorder(self._datastore, events_table_name="snapshots")
            self._snapshots.create_table()
            with self._datastore.transaction(commit=False) as c:
                self._tip = self._recorder.read_tip(c)
        super().__init__(path, mapper)
        self._check_tip()

    def tip(self) -> Tip:
        """Return the sequence, chain value and event time of the last record."""
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
        with translated_errors():
            self._mapper.prepare(each.event for command in batch for each in command.events)
            records = chain_batch(self._mapper, self.source, expected, batch)
            compress = self._mapper.compress
            began = time.perf_counter()
            self._recorder.append_records(expected, [(record, compress(record.data)) for record in records])
            if records:
                appended(len(records), began)
                last = records[-1]
                trace("batch appended", commands=len(batch), events=len(records), tip=last.sequence)
                self._tip = Tip(last.sequence, last.chain, last.occurred_at)
        self._save_snapshots(snapshots)
        topics = {record.topic for record in records}
        for callback, wanted in self._listeners if records else ():
            if wanted is None or not wanted.isdisjoint(topics):
                callback(records)
        return records

    def snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        return self.last_snapshot(stream)

    def on_append(
        self, callback: Callable[[Sequence[Record]], None], topics: frozenset[str] | None = None
    ) -> None:
        """Call *callback* after each append, with *topics* after each that has a record of one of them."""
        self._listeners.append((callback, topics))

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        return first_chain(self.log_id, PARTITION, PARTITIONS)

    def close(self) -> None:
        """Close the file; what is acknowledged is in it already."""
        super().close()
        self._datastore.close()

    def _reload_tip(self) -> None:
        """Read from the file, after a failure, whether the batch was stored: the error does not say."""
        try:
            with self._datastore.transaction(commit=False) as c:
                self._tip = self._recorder.read_tip(c)
        except Exception:  # noqa: BLE001, S110 # the disk still fails; the next append reads the tip again
            pass

    def _save_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Store snapshots in a transaction of their own: they are a cache, so losing one costs only time."""
        rows = [StoredEvent(each.stream, each.version, each.topic, each.state) for each in snapshots]
        if not rows:
            return
        try:
            self._snapshots.insert_events(rows)
        except (PersistenceError, sqlite3.Error) as error:
            logger.warning("snapshots not kept", reason=str(error))

    def _check_tip(self) -> None:
        """Compare the last record with its chain, so that a damaged file is noticed before it grows."""
        last = self.read(max(self._tip.sequence - 2, 0), 2)
        if len(last) != min(self._tip.sequence, 2):
            raise LogCorruptError("the event log has lost records before its last one")
        previous = self.first_chain() if len(last) == 1 else last[0].chain if last else b""
        if last and chain_after(previous, last[-1]) != last[-1].chain:
            raise LogCorruptError(f"record {self._tip.sequence} of the event log does not fit its chain")
