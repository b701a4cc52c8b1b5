"""SQLite connections as the log needs them: durable commits, fast statements, errors of our own."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from eventsourcing.persistence import DatabaseError, InterfaceError, PersistenceError
from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool

from commands.log import LogCorruptError, LogUnavailableError

_CACHE_KIB = 16_384
_CHECKPOINT_PAGES = 20_000  # the composition root makes checkpoints earlier, in a thread of its own
_STATEMENTS = 128
_BUSY_SECONDS = 5.0
_CORRUPT = ("malformed", "not a database")
_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
    f"cache_size=-{_CACHE_KIB}",
)


def read_only_uri(path: Path, *, unchanging: bool = False) -> str:
    """Return the URI that opens the database at *path* for reading, whatever letters the path has.

    Of an *unchanging* one SQLite makes no file next to it, and none has to be there: it reads the file alone.
    """
    address = f"file://{quote(os.fsencode(path.absolute()))}?mode=ro"
    return f"{address}&immutable=1" if unchanging else address


class TunedPool(SQLiteConnectionPool):
    """The library's pool, with an fsync for each commit and checkpoints left to a thread of their own."""

    @staticmethod
    def detect_memory_mode(db_name: str | None) -> bool:
        """Return False: the log is a file, whatever its path reads like."""
        del db_name
        return False

    def _create_connection(self) -> SQLiteConnection:
        # Not the library's own: it caches one prepared statement, and preparing an insert is slow.
        try:
            connection = sqlite3.connect(
                self.db_name,
                check_same_thread=False,
                isolation_level=None,
                cached_statements=_STATEMENTS,
                timeout=_BUSY_SECONDS,
            )
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        connection.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=connection, max_age=self.max_age)


class Readers:
    """One read-only connection for each thread."""

    def __init__(self, path: Path, *, unchanging: bool = False) -> None:
        """Open connections to the database at *path* when they are first needed; see `read_only_uri`."""
        self._uri = read_only_uri(path, unchanging=unchanging)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[sqlite3.Connection] = []

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection; raise LogUnavailableError where it cannot be opened."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with translated_errors():
                connection = sqlite3.connect(
                    self._uri, uri=True, isolation_level=None, check_same_thread=False
                )
                connection.execute("PRAGMA cache_size=-4096")
            self._local.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the errors of SQLite and of the library into those of the log's port."""
    try:
        yield
    except (sqlite3.DatabaseError, DatabaseError) as error:
        if any(word in str(error) for word in _CORRUPT):
            raise LogCorruptError(f"the event log's file is damaged: {error}") from error
        raise LogUnavailableError(f"the event log cannot be used: {error}") from error
    except (sqlite3.Error, PersistenceError, OSError) as error:
        raise LogUnavailableError(f"the event log cannot be used: {error}") from error
