"""The key store of the embedded profile: keys wrapped by the master key, in a file of their own."""

import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from commands.keys import KEY_SIZE
from commands.sqlite.connections import translated

_CACHED = 10_000


class SQLiteKeyStore:
    """Keep one AES key for each subject, wrapped (RFC 3394). The file is apart from the log, so that a copy of the log holds none."""

    def __init__(self, path: Path, master_key: bytes) -> None:
        """Open the store at *path*, or make it."""
        self._master_key = master_key
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
        with self._lock, translated():
            row = self._connection.execute(
                "SELECT wrapped FROM keys WHERE subject = ?", (subject,)
            ).fetchone()
        return None if row is None else self._remember(subject, aes_key_unwrap(self._master_key, row[0]))

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make the missing keys in one transaction."""
        missing = [subject for subject in subjects if self.get(subject) is None]
        if not missing:
            return
        keys = {subject: os.urandom(KEY_SIZE) for subject in missing}
        rows = [(subject, aes_key_wrap(self._master_key, key)) for subject, key in keys.items()]
        with self._lock, translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT INTO keys VALUES (?, ?)", rows)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        for subject, key in keys.items():
            self._remember(subject, key)

    def close(self) -> None:
        """Close the file and forget the keys."""
        self._cache.clear()
        self._connection.close()

    def _remember(self, subject: str, key: bytes) -> bytes:
        if len(self._cache) >= _CACHED:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[subject] = key
        return key
