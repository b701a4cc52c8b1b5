"""Move SQLite's write-ahead logs into their databases, from a thread that no command waits for."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

logger = structlog.get_logger(__name__)

_EVERY_SECONDS = 0.25
_LARGE = 32 * 1024 * 1024


class WalCheckpointer:
    """Checkpoint each of some databases whenever its write-ahead log has grown."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Start the thread over the databases at *paths*."""
        self._paths = paths
        self._closed = threading.Event()
        self._last_seen: dict[Path, tuple[int, int]] = {}
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
        """Return whether the log is large and was written to since the last look.

        A log that was moved into the database keeps its size, and is written again from its front. Its
        time alone is not enough: two writes within one tick of the file system's clock have the same time.
        """
        try:
            status = Path(f"{path}-wal").stat()
        except OSError:
            return False
        seen = status.st_mtime_ns, status.st_size  # the size too: two writes may have the same time
        written = self._last_seen.get(path) != seen
        self._last_seen[path] = seen
        return written and status.st_size > _LARGE


def _checkpoint(path: Path) -> None:
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
    except sqlite3.Error as error:  # a full disk: the commands report it, and the next round tries again
        logger.warning("no checkpoint", path=str(path), reason=str(error))
