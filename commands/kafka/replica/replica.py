"""The local replica of one partition: a cache in SQLite of what was acknowledged or consumed.

It can be lost at any time and is then made again from Kafka. Each batch is applied in one transaction together with
the place that it leads to, so that a replica never holds half a batch.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from msgspec import json

from commands.chain import chain_after
from commands.kafka.protocol.chain_rule import Counted, Place
from commands.kafka.replica.checkpoints import Checkpoints
from commands.log import LogCorruptError, Snapshot, Tip
from commands.mapper import LargeStateCompressor
from commands.sqlite.connections import translated
from commands.sqlite.reader import TABLE, ReadOnlyLog
from commands.sqlite.rows import COLUMNS, create_statements, insert_rows, to_row
from domain.record import Record

FORMAT = 1
_COLUMNS = (*COLUMNS, "at")
_STATEMENTS = 128
_CACHE_KIB = 32_768
_CHECKPOINT_PAGES = 65_536
"""Pages in the write-ahead log before an append moves them itself: `Checkpoints` does so beside it, long before."""
_compressor = LargeStateCompressor()

logger = structlog.get_logger(__name__)


class ReplicaDamagedError(Exception):
    """The replica's file cannot be used: it is to be made again."""


class ReplicaReader(ReadOnlyLog):
    """Read the replica as a log."""

    columns = ", ".join(_COLUMNS)


class Replica:
    """The records, snapshots, command ids and tracking records of one partition, with the place they lead to.

    *plain* keeps each record's data as it is and its topic without version: that is how an `eventsourcing`
    application of its own stores events.
    """

    def __init__(self, path: Path, partition: int, *, plain: bool = False) -> None:
        """Open the replica at *path*, or make it; one that does not fit is dropped."""
        self.path = path
        self.partition = partition
        self._plain = plain
        self._checkpoints = Checkpoints(path)
        self._staged: Sequence[Counted] | None = None
        try:
            self._open()
        except (sqlite3.Error, ReplicaDamagedError) as error:
            logger.warning("dropping the replica", partition=partition, reason=str(error))
            self.reset()

    @property
    def place(self) -> Place:
        """Return where the replica is."""
        return self._place

    @property
    def forks(self) -> frozenset[int]:
        """Return the offsets of void records at their writers' places that a rebuild has confirmed."""
        return self._forks

    def reset(self, forks: Iterable[int] = ()) -> None:
        """Drop everything and begin anew, knowing of *forks*."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._open()
        self._forks = frozenset(forks)
        with self._transaction():
            self._save(self._place)

    def stage(self, taken: Sequence[Counted]) -> None:
        """Write what *taken* carries in a transaction that `apply` commits with its place, while the broker works.

        Nobody but this connection sees it; a process that dies leaves nothing of it. What cannot be written now is
        not staged: `apply` meets the same again, and tells.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._staged = taken
            self._insert(taken)
        except (sqlite3.Error, LogCorruptError):
            self.unstage()

    def unstage(self) -> None:
        """Undo what is staged and was not applied."""
        self._staged = None
        with suppress(sqlite3.ProgrammingError):  # it was closed meanwhile, and that undid it
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def apply(self, taken: Sequence[Counted], place: Place) -> None:
        """Keep what *taken* carries, and that the replica is at *place*, in one transaction.

        Raises LogCorruptError where a version comes twice, and sqlite3.Error.
        """
        if taken is not self._staged:
            self.unstage()
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            if taken is not self._staged:
                self._insert(taken)
            self._save(place)
            self._connection.execute("COMMIT")
        except BaseException:
            self.unstage()
            raise
        self._staged = None
        self._place = place
        self._checkpoints.written(len(taken))

    def _insert(self, taken: Sequence[Counted]) -> None:
        rows = [self._row(item.record) for item in taken if item.record is not None]
        tracking = [item.tracking for item in taken if item.tracking is not None]
        try:
            insert_rows(self._connection, TABLE, rows, _COLUMNS)
        except sqlite3.IntegrityError as error:
            raise LogCorruptError(f"a version of a stream stands twice in the log: {error}") from error
        for item in tracking:
            name, _, number = item.partition(b"\0")
            self._connection.execute(
                "INSERT INTO tracking VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET notification_id = "
                "max(notification_id, excluded.notification_id)",
                (name.decode(), int(number)),
            )

    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep snapshots; raises sqlite3.Error."""
        if snapshots:
            with self._transaction():
                self._connection.executemany(
                    "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
                    [(item.stream, item.version, item.topic, item.state) for item in snapshots],
                )

    def highest_versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the highest version of each of *streams* that has one."""
        rows = self._connection.execute(
            f"SELECT originator_id, max(originator_version) FROM {TABLE} "  # noqa: S608 # names are ours
            "WHERE originator_id IN (SELECT value FROM json_each(?)) GROUP BY originator_id",
            (json.encode(streams),),
        )
        return dict(rows.fetchall())

    def has_version(self, stream: str, version: int) -> bool:
        """Tell whether the stream has this version."""
        statement = f"SELECT 1 FROM {TABLE} WHERE originator_id = ? AND originator_version = ?"  # noqa: S608 # names are ours
        return self._connection.execute(statement, (stream, version)).fetchone() is not None

    def sequences_of(self, command: str) -> range:
        """Return the sequences of what *command* appended; empty where it is unknown."""
        row = self._connection.execute(
            f"SELECT rowid, commit_count FROM {TABLE} WHERE command = ? AND commit_index = 1",  # noqa: S608 # names are ours
            (command,),
        ).fetchone()
        return range(0) if row is None else range(row[0], row[0] + row[1])

    def tracked(self, name: str) -> int | None:
        """Return the highest tracked notification id of the application called *name*."""
        row = self._connection.execute(
            "SELECT notification_id FROM tracking WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Close the file."""
        self._checkpoints.close()
        connection: sqlite3.Connection | None = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            self.path, check_same_thread=False, isolation_level=None, cached_statements=_STATEMENTS
        )
        for setting in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"cache_size=-{_CACHE_KIB}",
            f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
        ):
            self._connection.execute(f"PRAGMA {setting}")
        for statement in _statements(plain=self._plain):
            self._connection.execute(statement)
        self._place, self._forks = Place(), frozenset()
        self._staged = None
        self._load()

    def _load(self) -> None:
        row = self._connection.execute(
            "SELECT format, partition, log_id, partitions, next_offset, counted_at, sequence, chain, occurred_at, forks "
            "FROM place"
        ).fetchone()
        if row is None:
            return
        if row[:2] != (FORMAT, self.partition):
            raise ReplicaDamagedError("the replica has another format or belongs to another partition")
        self._place = Place(
            log_id=row[2], partitions=row[3], next_offset=row[4], counted_at=row[5], tip=Tip(*row[6:9])
        )
        self._forks = frozenset(int(item) for item in row[9].split(",") if item)
        last = self._connection.execute(f"SELECT max(rowid) FROM {TABLE}").fetchone()[0] or 0  # noqa: S608 # names are ours
        if last != self._place.tip.sequence:
            raise ReplicaDamagedError(f"the replica ends at {last}, not at {self._place.tip.sequence}")

    def _save(self, place: Place) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO place VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                FORMAT,
                self.partition,
                place.log_id,
                place.partitions,
                place.next_offset,
                place.counted_at,
                place.tip.sequence,
                place.tip.chain,
                place.tip.occurred_at,
                ",".join(map(str, sorted(self._forks))),
            ),
        )
        if place.log_id != self._place.log_id:
            self._connection.execute(
                f"INSERT INTO {TABLE}_log SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM {TABLE}_log)",  # noqa: S608 # names are ours
                (place.log_id, place.partitions),
            )

    def _row(self, record: Record) -> tuple[Any, ...]:
        if not self._plain:
            return (*to_row(record, _compressor.compress(record.data)), record.at)
        row = to_row(record, record.data)
        return (*row[:3], record.topic, *row[4:], record.at)

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._connection)


class _Transaction:
    """BEGIN, and COMMIT or ROLLBACK."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _statements(*, plain: bool) -> list[str]:
    events = create_statements(TABLE, "at INTEGER NOT NULL, ")
    if plain:  # each stream is its own home, and has an index already
        events = [statement for statement in events if f"{TABLE}_home" not in statement]
    return [
        *events,
        """CREATE TABLE IF NOT EXISTS place (
            id INTEGER PRIMARY KEY, format INTEGER NOT NULL, partition INTEGER NOT NULL, log_id TEXT NOT NULL,
            partitions INTEGER NOT NULL, next_offset INTEGER NOT NULL, counted_at INTEGER NOT NULL,
            sequence INTEGER NOT NULL, chain BLOB NOT NULL, occurred_at INTEGER NOT NULL, forks TEXT NOT NULL)""",
        "CREATE TABLE IF NOT EXISTS tracking (name TEXT PRIMARY KEY, notification_id INTEGER NOT NULL) WITHOUT ROWID",
        """CREATE TABLE IF NOT EXISTS snapshots (
            originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,
            PRIMARY KEY (originator_id, originator_version)) WITHOUT ROWID""",
    ]


def check_last(reader: ReplicaReader, place: Place, first: bytes) -> None:
    """Compare the replica's last record with its place; raise ReplicaDamagedError where they differ.

    A place behind a message without a record has another chain than its last record; then nothing can be compared.
    """
    with translated():
        last = reader.read(max(place.tip.sequence - 2, 0), 2)
    if not last:
        return
    previous = first if len(last) == 1 else last[0].chain
    if last[-1].sequence != place.tip.sequence or chain_after(previous, last[-1]) != last[-1].chain:
        raise ReplicaDamagedError(f"record {place.tip.sequence} of the replica does not fit its chain")
