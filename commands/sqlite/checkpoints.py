"""Move the write-ahead log into the database file from a thread of its own, so that no command waits for it."""

import sqlite3
import threading
from pathlib import Path

_EVERY_BYTES = 8 * 1024 * 1024


class Checkpointer:
    """Checkpoint the database at *path* whenever enough has been written to it."""

    def __init__(self, path: Path) -> None:
        """Start the thread."""
        self._path = path
        self._written = 0
        self._due = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="log-checkpoints", daemon=True)
        self._thread.start()

    def grew(self, size: int) -> None:
        """Count *size* bytes of data, each record's row and index entries on top."""
        self._written += size + 1024
        if self._written >= _EVERY_BYTES:
            self._written = 0
            self._due.set()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._due.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closed:
                return
            try:
                connection = sqlite3.connect(self._path, isolation_level=None)
                try:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                finally:
                    connection.close()
            except sqlite3.Error:
                self._written = 0  # a full disk: the commands report it, and the next round tries again
