"""Read the keys of people without writing any: for the commands that only look."""

from collections.abc import Iterable
from pathlib import Path

from commands.keys import KeyDestroyedError
from commands.kms import Kms
from commands.sqlite.connections import Readers, translated_errors
from commands.sqlite.unwritten_log import is_unchanging

_ONE = "SELECT wrapped FROM keys WHERE subject = ?"


class UnwrittenKeys:
    """A key store that reads; a file that is not there holds no key."""

    def __init__(self, path: Path, kms: Kms, *, live: bool = False) -> None:
        """Read the store at *path*, which another process writes if it is *live*."""
        self._kms = kms
        unchanging = not live and is_unchanging(path)
        self._readers = Readers(path, unchanging=unchanging) if path.exists() else None

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key; None where there is none."""
        row = self._row(subject)
        return None if row is None or row[0] is None else self._kms.unwrap(row[0])

    def at_hand(self, subject: str) -> bytes | None:
        """Return the subject's key: every key of this machine is at hand."""
        return self.get(subject)

    def is_destroyed(self, subject: str) -> bool:
        """Return whether the subject's key was destroyed."""
        row = self._row(subject)
        return row is not None and row[0] is None

    def _row(self, subject: str) -> tuple[bytes | None] | None:
        if self._readers is None:
            return None
        with translated_errors():
            row: tuple[bytes | None] | None = self._readers.connection().execute(_ONE, (subject,)).fetchone()
        return row

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make no key; raises KeyDestroyedError where one is missing."""
        if any(self.get(subject) is None for subject in subjects):
            raise KeyDestroyedError("no key is made while the log is only read")

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy no key; raises KeyDestroyedError."""
        raise KeyDestroyedError(f"no key is destroyed while the log is only read: {len(list(subjects))} stay")

    def forget(self, subjects: Iterable[str]) -> None:
        """Cache nothing, and so forget nothing."""

    def rewrap(self) -> int:
        """Re-wrap nothing."""
        return 0

    def close(self) -> None:
        """Close the connections."""
        if self._readers is not None:
            self._readers.close()
