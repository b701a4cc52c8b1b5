"""The local replica of one partition: a cache in SQLite of what was acknowledged or consumed.

It can be lost at any time, and is then rebuilt from Kafka. Each batch is applied in one transaction together
with the checkpoint that it leads to, so a replica never holds half a batch.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import structlog
from msgspec import json

from commands.chain import chain_after
from commands.kafka.protocol.chain_rule import CountedMessage, LogCheckpoint
from commands.kafka.replica import tables
from commands.kafka.replica.wal_checkpointer import WalCheckpointer
from commands.log import LogCorruptError, Snapshot, Tip
from commands.mapper import LargeStateCompressor
from commands.sqlite.connections import translated_errors
from commands.sqlite.reader import TABLE, ReadOnlyLog
from commands.sqlite.rows import (
    add_operators_column,
    application_row,
    insert_rows,
    select_operators_column,
    to_row,
)
from domain.record import Record

FORMAT = 1
_STATEMENTS = 128
_CACHE_KIB = 32_768
_CHECKPOINT_PAGES = 65_536
"""Pages in the write-ahead log before an append moves them itself; `WalCheckpointer` does so long before."""
_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    f"cache_size=-{_CACHE_KIB}",
    f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
)
_compressor = LargeStateCompressor()

logger = structlog.get_logger(__name__)


class ReplicaDamagedError(Exception):
    """The replica's file cannot be used and has to be rebuilt."""


class ReplicaReader(ReadOnlyLog):
    """Reads the replica as a log."""

    columns = ", ".join(tables.REPLICA_COLUMNS)


class Replica:
    """The records, snapshots, command ids and tracking records of one partition, with their checkpoint.

    A *plain* replica stores each record's data as it is, and its topic without version: that is how any
    `eventsourcing` application stores events.
    """

    def __init__(
        self,
        path: Path,
        partition: int,
        *,
        plain: bool = False,
        while_reset: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Open the replica at *path*, or create it; one that cannot be used is dropped.

        Each later `reset` happens inside *while_reset*, which closes what else has the file open.
        """
        self.path = path
        self.partition = partition
        self._plain = plain
        self._while_reset = while_reset
        self._wal_checkpointer = WalCheckpointer(path)
        self._staged: Sequence[CountedMessage] | None = None
        try:
            self._open()
        except (sqlite3.Error, ReplicaDamagedError) as error:
            logger.warning("dropping the replica", partition=partition, reason=str(error))
            self._drop()

    @property
    def checkpoint(self) -> LogCheckpoint:
        """Return how far the replica is."""
        return self._checkpoint

    @property
    def forks(self) -> frozenset[int]:
        """Return the offsets of void records at their expected offsets that a rebuild has confirmed."""
        return self._forks

    def reset(self, forks: Iterable[int] = ()) -> None:
        """Drop everything and start again, remembering *forks*."""
        with self._while_reset():
            self._drop(forks)

    def stage(self, messages: Sequence[CountedMessage]) -> None:
        """Write *messages* in a transaction while the broker works; `apply` commits it with their checkpoint.

        Only this connection sees them, and a process that dies leaves nothing of them. What cannot be written
        now is not staged: `apply` meets the same error again, and raises it.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._staged = messages
            self._insert(messages)
        except (sqlite3.Error, LogCorruptError):
            self.unstage()

    def unstage(self) -> None:
        """Undo what is staged and was not applied."""
        self._staged = None
        with suppress(sqlite3.ProgrammingError):  # it was closed in the meantime, which undid it
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def apply(self, messages: Sequence[CountedMessage], checkpoint: LogCheckpoint) -> None:
        """Store *messages* and that the replica is at *checkpoint*, in one transaction.

        Raises LogCorruptError where a version of a stream occurs twice, and sqlite3.Error.
        """
        if messages is not self._staged:
            self.unstage()
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            if messages is not self._staged:
                self._insert(messages)
            self._save(checkpoint)
            self._connection.execute("COMMIT")
        except BaseException:
            self.unstage()
            raise
        self._staged = None
        self._checkpoint = checkpoint
        self._wal_checkpointer.committed(len(messages))

    def save_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Store snapshots; raises sqlite3.Error."""
        if snapshots:
            rows = [(each.stream, each.version, each.topic, each.state) for each in snapshots]
            with self._transaction():
                self._connection.executemany(tables.SAVE_SNAPSHOT, rows)

    def highest_versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the highest version of each of *streams* that has one."""
        return dict(self._connection.execute(tables.HIGHEST_VERSIONS, (json.encode(streams),)).fetchall())

    def has_version(self, stream: str, version: int) -> bool:
        """Return whether the stream has this version."""
        return self._connection.execute(tables.HAS_VERSION, (stream, version)).fetchone() is not None

    def sequences_of(self, command: str) -> range:
        """Return the sequences of what *command* appended; empty where it is unknown."""
        row = self._connection.execute(tables.COMMAND_SEQUENCES, (command,)).fetchone()
        return range(0) if row is None else range(row[0], row[0] + row[1])

    def tracked(self, name: str) -> int | None:
        """Return the highest tracked notification id of the application called *name*."""
        row = self._connection.execute(tables.TRACKED_ID, (name,)).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Close the file."""
        self._wal_checkpointer.close()
        connection: sqlite3.Connection | None = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def _drop(self, forks: Iterable[int] = ()) -> None:
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._open()
        self._forks = frozenset(forks)
        with self._transaction():
            self._save(self._checkpoint)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            self.path, check_same_thread=False, isolation_level=None, cached_statements=_STATEMENTS
        )
        for setting in _SETTINGS:
            self._connection.execute(f"PRAGMA {setting}")
        for statement in tables.replica_statements(plain=self._plain):
            self._connection.execute(statement)
        if self._connection.execute(select_operators_column(TABLE)).fetchone() is None:
            self._connection.execute(add_operators_column(TABLE))
        self._checkpoint, self._forks = LogCheckpoint(), frozenset[int]()
        self._staged = None
        self._load()

    def _load(self) -> None:
        row = self._connection.execute(tables.LOAD_CHECKPOINT).fetchone()
        if row is None:
            return
        if row[:2] != (FORMAT, self.partition):
            raise ReplicaDamagedError("the replica has another format or belongs to another partition")
        self._checkpoint = LogCheckpoint(
            log_id=row[2], partitions=row[3], next_offset=row[4], counted_at=row[5], tip=Tip(*row[6:9])
        )
        self._forks = frozenset(int(offset) for offset in row[9].split(",") if offset)
        last = self._connection.execute(tables.LAST_SEQUENCE).fetchone()[0] or 0
        if last != self._checkpoint.tip.sequence:
            raise ReplicaDamagedError(f"the replica ends at {last}, not at {self._checkpoint.tip.sequence}")

    def _insert(self, messages: Sequence[CountedMessage]) -> None:
        rows = [self._row(message.record) for message in messages if message.record is not None]
        try:
            insert_rows(self._connection, TABLE, rows, tables.REPLICA_COLUMNS)
        except sqlite3.IntegrityError as error:
            raise LogCorruptError(f"a version of a stream occurs twice in the log: {error}") from error
        for message in messages:
            if message.tracking is not None:
                name, _, number = message.tracking.partition(b"\0")
                self._connection.execute(tables.TRACK, (name.decode(), int(number)))

    def _save(self, checkpoint: LogCheckpoint) -> None:
        values = (
            FORMAT,
            self.partition,
            checkpoint.log_id,
            checkpoint.partitions,
            checkpoint.next_offset,
            checkpoint.counted_at,
            checkpoint.tip.sequence,
            checkpoint.tip.chain,
            checkpoint.tip.occurred_at,
            ",".join(map(str, sorted(self._forks))),
        )
        self._connection.execute(tables.SAVE_CHECKPOINT, values)
        if checkpoint.log_id != self._checkpoint.log_id:
            self._connection.execute(tables.NAME_LOG, (checkpoint.log_id, checkpoint.partitions))

    def _row(self, record: Record) -> tuple[Any, ...]:
        if self._plain:
            return (*application_row(record, record.data), record.at)
        return (*to_row(record, _compressor.compress(record.data)), record.at)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def check_last(reader: ReplicaReader, checkpoint: LogCheckpoint, first: bytes) -> None:
    """Check the last record of a log of commands against checkpoint and chain; raise ReplicaDamagedError."""
    with translated_errors():
        last = reader.read(max(checkpoint.tip.sequence - 2, 0), 2)
    if not last:
        return
    previous = first if len(last) == 1 else last[0].chain
    if last[-1].sequence != checkpoint.tip.sequence or chain_after(previous, last[-1]) != last[-1].chain:
        raise ReplicaDamagedError(f"record {checkpoint.tip.sequence} of the replica does not fit its chain")
