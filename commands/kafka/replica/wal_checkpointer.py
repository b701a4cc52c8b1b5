"""Move the replica's write-ahead log into its file, in another thread, so that the writer need not wait."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import structlog

_EVERY_ROWS = 8_192
_BUSY_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class WalCheckpointer:
    """Makes SQLite's checkpoints of one file, each in a thread that lives as long as it takes."""

    def __init__(self, path: Path) -> None:
        """Move the write-ahead log of the file at *path*."""
        self._path = path
        self._rows = 0
        self._thread: threading.Thread | None = None

    def committed(self, rows: int) -> None:
        """Count *rows* more that were committed; after enough of them, start a checkpoint."""
        self._rows += rows
        if self._rows < _EVERY_ROWS or (self._thread is not None and self._thread.is_alive()):
            return
        self._rows = 0
        self._thread = threading.Thread(target=self._run, name="replica-checkpoint", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the checkpoint under way."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:  # the writer makes one itself once the write-ahead log is large
            logger.warning("no checkpoint of the replica", reason=str(error))
