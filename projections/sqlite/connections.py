"""SQLite connections of the document store: one that writes, and one that reads for each thread."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from projections.store import StoreUnavailableError

_STATEMENTS = 512
_WRITER_CACHE_KIB = 32_768
_READER_CACHE_KIB = 8_192
_CHECKPOINT_PAGES = 40_000  # the profile checkpoints sooner, from a thread of its own
_JOURNAL_BYTES = 64 * 1024 * 1024


class _Connection(sqlite3.Connection):
    """A connection that closes when the thread that it belongs to ends."""

    def __del__(self) -> None:
        self.close()


class Database:
    """The database file at *path* (None: a database in memory, whose one connection reads and writes)."""

    def __init__(self, path: Path | None) -> None:
        """Open the writing connection; raises StoreUnavailableError."""
        self.lock = threading.RLock()
        self._uri = None if path is None else f"{path.resolve().as_uri()}?mode=ro"
        self._local = threading.local()
        self._readers: WeakSet[_Connection] = WeakSet()
        self._readers_lock = threading.Lock()
        self._closed = False
        with translated():
            self.writer = _open(":memory:" if path is None else str(path))
            _tune_writer(self.writer)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the writing connection in a transaction; an exception rolls it back."""
        with self.lock, translated():
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                if self.writer.in_transaction:  # a full disk may have ended it already
                    self.writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that this thread may read from."""
        if self._uri is None:
            with self.lock:
                yield self.writer
        else:
            yield self._reader(self._uri)

    def _reader(self, uri: str) -> sqlite3.Connection:
        reader: _Connection | None = getattr(self._local, "connection", None)
        if reader is None:
            with self._readers_lock:
                if self._closed:
                    raise sqlite3.ProgrammingError("the document store is closed")
                reader = _open(uri, uri=True)
                self._readers.add(reader)
            reader.text_factory = bytes  # the JSON decoder reads bytes
            reader.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB}")
            self._local.connection = reader
        return reader

    def close(self) -> None:
        """Close every connection."""
        with self.lock, self._readers_lock:
            self._closed = True
            for connection in list(self._readers):
                connection.close()
            self.writer.close()


def _open(name: str, *, uri: bool = False) -> _Connection:
    return sqlite3.connect(
        name,
        uri=uri,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
        factory=_Connection,
    )


def _tune_writer(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",  # a power cut may undo the last steps with their checkpoints: the log has them
        f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
        f"journal_size_limit={_JOURNAL_BYTES}",
        f"cache_size=-{_WRITER_CACHE_KIB}",
        "temp_store=MEMORY",
        "secure_delete=ON",  # data of an erased person does not stay in free pages
    ):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of SQLite into StoreUnavailableError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"the document store cannot be used: {error}") from error
