"""Loose objects: one compressed file each."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from codepark.history_import.git.errors import DamagedObjectError, LargeObjectError
from codepark.history_import.git.inflating import CHUNK, first_bytes, inflate


class LooseObjects:
    """The loose objects of one directory."""

    def __init__(self, directory: Path) -> None:
        """Read from an `objects` directory."""
        self._directory = directory

    def read(self, oid: bytes, limit: int) -> tuple[str, bytes] | None:
        """Return an object's kind and data, None where it is not here."""
        file = self._open(oid)
        if file is None:
            return None
        with file:
            kind, size, start = _head(file)
            if size > limit:
                raise LargeObjectError(f"an object has {size} bytes")
            file.seek(0)
            return kind, inflate(_pieces(file), start + size)[start:]

    def size(self, oid: bytes) -> int | None:
        """Return an object's size, None where it is not here."""
        file = self._open(oid)
        if file is None:
            return None
        with file:
            return _head(file)[1]

    def _open(self, oid: bytes) -> BinaryIO | None:
        name = oid.hex()
        try:
            return (self._directory / name[:2] / name[2:]).open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError):
            return None


def _head(file: BinaryIO) -> tuple[str, int, int]:
    head, found, _ = first_bytes(_pieces(file)).partition(b"\0")
    kind, _, size = head.partition(b" ")
    if not found or not size.isdigit():
        raise DamagedObjectError("a loose object has no head")
    return kind.decode("ascii", "replace"), int(size), len(head) + 1


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece
