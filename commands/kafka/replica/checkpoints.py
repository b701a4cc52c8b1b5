"""Move the replica's write-ahead log into its file beside the writer, which would stand still for as long otherwise."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import structlog

_EVERY_ROWS = 8_192
_BUSY_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class Checkpoints:
    """Checkpoints of one SQLite file, in a thread that lives as long as one of them."""

    def __init__(self, path: Path) -> None:
        """Move the log of the file at *path*."""
        self._path = path
        self._rows = 0
        self._thread: threading.Thread | None = None

    def written(self, rows: int) -> None:
        """Tell that *rows* more were committed; now and then that starts a checkpoint."""
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
        except sqlite3.Error as error:  # the writer does it itself once the log is large
            logger.warning("no checkpoint of the replica", reason=str(error))
