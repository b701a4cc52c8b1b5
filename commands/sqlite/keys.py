"""The key store of the embedded profile: keys wrapped by the master key, in a file of their own."""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from commands.keys import KEY_SIZE, KeyDestroyedError
from commands.kms import Kms
from commands.sqlite.connections import translated

_CACHED = 10_000
_CHUNK = 500


class SQLiteKeyStore:
    """Keep one AES key for each subject, wrapped. The file is apart from the log, so that a copy of the log holds none.

    A destroyed key leaves its row without a key, and no page or journal of the file keeps what it was.
    """

    def __init__(self, path: Path, kms: Kms) -> None:
        """Open the store at *path*, or make it."""
        self._kms = kms
        self._lock = threading.Lock()
        self._cache: dict[str, bytes] = {}
        with translated():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS keys (subject TEXT PRIMARY KEY, wrapped BLOB) WITHOUT ROWID"
            )

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key, from memory where it was used of late."""
        found = self._cache.get(subject)
        if found is not None:
            return found
        row = self._row(subject)
        return None if row is None or row[0] is None else self._remember(subject, self._kms.unwrap(row[0]))

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make the missing keys in one transaction; raises KeyDestroyedError."""
        missing = [subject for subject in subjects if self.get(subject) is None]
        if not missing:
            return
        for subject in missing:
            if self._row(subject) is not None:
                raise KeyDestroyedError("the person whom this is about was erased")
        keys = {subject: os.urandom(KEY_SIZE) for subject in missing}
        with self._transaction():  # wrapped in here: a rotation sees what older master keys wrapped
            rows = [(subject, self._kms.wrap(key)) for subject, key in keys.items()]
            self._connection.executemany("INSERT INTO keys VALUES (?, ?)", rows)
        for subject, key in keys.items():
            self._remember(subject, key)

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy keys: their pages are overwritten, and the journal that still has them is emptied."""
        found = list(subjects)
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO keys VALUES (?, NULL) ON CONFLICT DO UPDATE SET wrapped = NULL",
                [(subject,) for subject in found],
            )
        self.forget(found)
        with self._lock, translated():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop keys from memory."""
        for subject in subjects:
            self._cache.pop(subject, None)

    def rewrap(self) -> int:
        """Wrap what an older master key wrapped anew, some at a time: who stops in between goes on the next time."""
        done, last = 0, ""
        while True:
            with self._lock, translated():
                rows = self._connection.execute(
                    "SELECT subject, wrapped FROM keys WHERE subject > ? ORDER BY subject LIMIT ?",
                    (last, _CHUNK),
                ).fetchall()
            if not rows:
                break
            last = rows[-1][0]
            old = [
                (self._kms.wrap(self._kms.unwrap(wrapped)), subject, wrapped)
                for subject, wrapped in rows
                if wrapped is not None and self._kms.version_of(wrapped) != self._kms.version
            ]
            with self._transaction():
                self._connection.executemany(
                    "UPDATE keys SET wrapped = ? WHERE subject = ? AND wrapped = ?", old
                )
            done += len(old)
        with self._lock, translated():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return done

    def close(self) -> None:
        """Close the file and forget the keys."""
        self._cache.clear()
        self._connection.close()

    def _row(self, subject: str) -> tuple[bytes | None] | None:
        with self._lock, translated():
            found: tuple[bytes | None] | None = self._connection.execute(
                "SELECT wrapped FROM keys WHERE subject = ?", (subject,)
            ).fetchone()
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, translated():
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
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[subject] = key
        return key
