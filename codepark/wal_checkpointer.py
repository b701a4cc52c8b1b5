"""Move SQLite's write-ahead logs into their databases, from a thread that no command waits for."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

logger = structlog.get_logger(__name__)

_EVERY_SECONDS = 0.25
_SETTLING_SECONDS = 5.0
_LARGE = 32 * 1024 * 1024


class WalCheckpointer:
    """Checkpoint each of some databases whenever its write-ahead log has grown."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Start the thread over the databases at *paths*."""
        self._paths = paths
        self._closed = threading.Event()
        self._last_checkpoint: dict[Path, float] = {}
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closed.wait(_EVERY_SECONDS):
            for path in self._paths:
                if self._due(path):
                    _checkpoint(path)

    def _due(self, path: Path) -> bool:
        """Return whether the log is large, and may hold more than the last checkpoint moved.

        A log that was moved into the database keeps its size and is written again from its front: the time of
        its last write decides. A transaction that a checkpoint does not see yet, because its fsync is not
        finished, was written up to `_SETTLING_SECONDS` before.
        """
        try:
            status = Path(f"{path}-wal").stat()
        except OSError:
            return False
        moved_until = self._last_checkpoint.get(path, 0.0) - _SETTLING_SECONDS
        due = status.st_size > _LARGE and status.st_mtime >= moved_until
        if due:
            self._last_checkpoint[path] = time.time()
        return due


def _checkpoint(path: Path) -> None:
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
    except sqlite3.Error as error:  # a full disk: the commands report it, and the next round tries again
        logger.warning("no checkpoint", path=str(path), reason=str(error))
