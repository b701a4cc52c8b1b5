"""The key store of the embedded profile: keys wrapped by the master key, in a file of their own."""

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from commands.keys import KEY_SIZE, KeyDestroyedError
from commands.kms import Kms
from commands.sqlite.connections import translated_errors

_CACHED = 10_000
_CHUNK = 500
_CREATE = "CREATE TABLE IF NOT EXISTS keys (subject TEXT PRIMARY KEY, wrapped BLOB) WITHOUT ROWID"
_DESTROY = "INSERT INTO keys VALUES (?, NULL) ON CONFLICT DO UPDATE SET wrapped = NULL"
_PAGE = "SELECT subject, wrapped FROM keys WHERE subject > ? ORDER BY subject LIMIT ?"
_REWRAP = "UPDATE keys SET wrapped = ? WHERE subject = ? AND wrapped = ?"


class SQLiteKeyStore:
    """Stores one wrapped AES key for each subject, apart from the log: a copy of the log holds no key.

    A destroyed key leaves its row without a key, and no page or journal of the file still holds it.
    """

    def __init__(self, path: Path, kms: Kms) -> None:
        """Open the store at *path*, or create it."""
        self._kms = kms
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        with translated_errors():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.execute(_CREATE)

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key, from memory where it was used recently; None where there is none."""
        cached = self._cache.get(subject)
        if cached is not None:
            return cached
        row = self._row(subject)
        return None if row is None or row[0] is None else self._remember(subject, self._kms.unwrap(row[0]))

    def at_hand(self, subject: str) -> bytes | None:
        """Return the subject's key: every key of this machine is at hand."""
        return self.get(subject)

    def is_destroyed(self, subject: str) -> bool:
        """Return whether the subject's key was destroyed."""
        if self.get(subject) is not None:
            return False
        row = self._row(subject)
        return row is not None and row[0] is None

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make the missing keys in one transaction; raises KeyDestroyedError."""
        missing = [subject for subject in subjects if self.get(subject) is None]
        if not missing:
            return
        for subject in missing:
            if self._row(subject) is not None:
                raise KeyDestroyedError("the person that this is about was erased")
        keys = {subject: os.urandom(KEY_SIZE) for subject in missing}
        with (
            self._transaction()
        ):  # wrapped inside it, so that a rotation sees every key of an older master key
            rows = [(subject, self._kms.wrap(key)) for subject, key in keys.items()]
            self._connection.executemany("INSERT INTO keys VALUES (?, ?)", rows)
        for subject, key in keys.items():
            self._remember(subject, key)

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy keys: their pages are overwritten, and the journal that still has them is emptied."""
        destroyed = list(subjects)
        with self._transaction():
            self._connection.executemany(_DESTROY, [(subject,) for subject in destroyed])
        self.forget(destroyed)
        self._empty_journal()

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop keys from memory."""
        for subject in subjects:
            self._cache.pop(subject, None)

    def rewrap(self) -> int:
        """Re-wrap every key that an older master key wrapped, and return how many there were.

        It is safe to interrupt: the next call continues.
        """
        count, last = 0, ""
        while rows := self._page(last):
            last = rows[-1][0]
            rewrapped = [
                (self._kms.wrap(self._kms.unwrap(wrapped)), subject, wrapped)
                for subject, wrapped in rows
                if wrapped is not None and self._kms.version_of(wrapped) != self._kms.version
            ]
            with self._transaction():
                self._connection.executemany(_REWRAP, rewrapped)
            count += len(rewrapped)
        self._empty_journal()
        return count

    def close(self) -> None:
        """Close the file and forget the keys."""
        self._cache.clear()
        self._connection.close()

    def _row(self, subject: str) -> tuple[bytes | None] | None:
        with self._lock, translated_errors():
            row: tuple[bytes | None] | None = self._connection.execute(
                "SELECT wrapped FROM keys WHERE subject = ?", (subject,)
            ).fetchone()
        return row

    def _page(self, after: str) -> list[tuple[str, bytes | None]]:
        with self._lock, translated_errors():
            return self._connection.execute(_PAGE, (after, _CHUNK)).fetchall()

    def _empty_journal(self) -> None:
        with self._lock, translated_errors():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, translated_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _remember(self, subject: str, key: bytes) -> bytes:
        if len(self._cache) >= _CACHED:
            with suppress(KeyError):  # another thread may have cleared it meanwhile
                self._cache.popitem(last=False)
        self._cache[subject] = key
        return key
