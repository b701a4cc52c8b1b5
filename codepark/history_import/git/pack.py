"""A pack: objects as they are, or as differences to others."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from dulwich.errors import ApplyDeltaError
from dulwich.pack import apply_delta

from codepark.history_import.git.errors import DamagedObjectError, LargeObjectError
from codepark.history_import.git.inflating import first_bytes, inflate, pieces_of
from codepark.history_import.git.pack_index import PackIndex

KINDS: Final = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA: Final = 6
_NAMED_DELTA: Final = 7
_ENTRY_HEAD: Final = 64


class Entry(NamedTuple):
    """An object in a pack: its *kind*, or the *base* that it differs from, by offset or by name."""

    kind: str | None
    size: int
    start: int
    base: int | bytes | None


class Pack:
    """One pack and its index."""

    def __init__(self, index: Path, oid_size: int) -> None:
        """Open both files; raises OSError and DamagedObjectError."""
        self._index = PackIndex(index, oid_size)
        self._oid_size = oid_size
        try:
            self._file = os.open(index.with_suffix(".pack"), os.O_RDONLY)
        except OSError:
            self._index.close()
            raise

    def close(self) -> None:
        """Close the files."""
        self._index.close()
        os.close(self._file)

    def find(self, oid: bytes) -> int | None:
        """Return the offset of an object, None where this pack does not have it."""
        return self._index.find(oid)

    def entry(self, offset: int) -> Entry:
        """Read the head of the object at *offset*."""
        head = self._read(offset, _ENTRY_HEAD)
        try:
            return self._parse(head, offset)
        except IndexError as error:
            raise DamagedObjectError("a pack ends within an object") from error

    def _parse(self, head: bytes, offset: int) -> Entry:
        byte, at = head[0], 1
        kind, size, shift = (byte >> 4) & 7, byte & 15, 4
        while byte & 0x80:
            byte = head[at]
            size |= (byte & 0x7F) << shift
            shift += 7
            at += 1
        if kind in KINDS:
            return Entry(KINDS[kind], size, offset + at, None)
        if kind == _NAMED_DELTA:
            return Entry(None, size, offset + at + self._oid_size, head[at : at + self._oid_size])
        if kind != _OFFSET_DELTA:
            raise DamagedObjectError(f"a pack has an object of the unknown kind {kind}")
        byte = head[at]
        distance = byte & 0x7F
        at += 1
        while byte & 0x80:
            byte = head[at]
            distance = ((distance + 1) << 7) | (byte & 0x7F)
            at += 1
        if not 0 < distance < offset:
            raise DamagedObjectError("an object of a pack differs from one outside of the pack")
        return Entry(None, size, offset + at, offset - distance)

    def data(self, entry: Entry, limit: int) -> bytes:
        """Return the stored data of *entry*: the object, or the difference."""
        if entry.size > limit:
            raise LargeObjectError(f"an object has {entry.size} bytes")
        return inflate(pieces_of(self._read, entry.start), entry.size)

    def size(self, entry: Entry) -> int:
        """Return the size of the object that *entry* leads to; of a difference, its head says it."""
        if entry.kind is not None:
            return entry.size
        head = first_bytes(pieces_of(self._read, entry.start))
        _, at = _number(head, 0)
        return _number(head, at)[0]

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._file, size, offset)


def applied(base: bytes, delta: bytes, limit: int) -> bytes:
    """Return the object that *delta* makes of *base*."""
    _, at = _number(delta, 0)
    if _number(delta, at)[0] > limit:
        raise LargeObjectError("an object that another one differs from is too large")
    try:
        return b"".join(apply_delta(base, delta))
    except (ApplyDeltaError, IndexError, ValueError) as error:
        raise DamagedObjectError(f"a difference cannot be applied: {error}") from error


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value, at
    except IndexError as error:
        raise DamagedObjectError("a difference has no head") from error
