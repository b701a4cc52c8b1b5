"""SQLite connections as the log needs them: durable commits, quick statements, errors of our own."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import DatabaseError, InterfaceError, PersistenceError
from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool

from commands.log import LogCorruptError, LogUnavailableError

_CACHE_KIB = 16_384
_CHECKPOINT_PAGES = 20_000  # the composition root checkpoints sooner, from a thread of its own
_STATEMENTS = 128
_BUSY_SECONDS = 5.0
_CORRUPT = ("malformed", "not a database")


class TunedPool(SQLiteConnectionPool):
    """The library's pool, with fsync on each commit and checkpoints left to the log's own thread."""

    def _create_connection(self) -> SQLiteConnection:
        # Not the library's own: it keeps one prepared statement, and an insert of many rows is dear to prepare.
        try:
            found = sqlite3.connect(
                self.db_name,
                check_same_thread=False,
                isolation_level=None,
                cached_statements=_STATEMENTS,
                timeout=_BUSY_SECONDS,
            )
            for setting in (
                "journal_mode=WAL",
                "synchronous=FULL",
                f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
                f"cache_size=-{_CACHE_KIB}",
            ):
                found.execute(f"PRAGMA {setting}")
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        found.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=found, max_age=self.max_age)


class Readers:
    """One read-only connection for each thread."""

    def __init__(self, path: str) -> None:
        """Open connections to the database at *path* when they are asked for."""
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[sqlite3.Connection] = []

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection; raise LogUnavailableError where it cannot be opened."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            with translated():
                found = sqlite3.connect(
                    f"file:{self._path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
                )
                found.execute("PRAGMA cache_size=-4096")
            self._local.connection = found
            with self._lock:
                self._all.append(found)
        return found

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of SQLite and of the library into those of the log's port."""
    try:
        yield
    except (sqlite3.DatabaseError, DatabaseError) as error:
        if any(word in str(error) for word in _CORRUPT):
            raise LogCorruptError(f"the event log's file is damaged: {error}") from error
        raise LogUnavailableError(f"the event log cannot be used: {error}") from error
    except (sqlite3.Error, PersistenceError, OSError) as error:
        raise LogUnavailableError(f"the event log cannot be used: {error}") from error
