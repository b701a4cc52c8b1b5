"""The index of a pack, versions 1 and 2: from an object's id to its place in the pack."""

import os
from pathlib import Path
from typing import Final

from codepark.history_import.git.errors import DamagedObjectError

_MAGIC: Final = b"\xfftOc"
_FANOUT_SIZE: Final = 256 * 4
_SCANNED: Final = 64
_LARGE: Final = 0x8000_0000


class PackIndex:
    """Looks ids up by reading a few places of the file; nothing of it stays in memory but the first table."""

    def __init__(self, path: Path, oid_size: int) -> None:
        """Open the index; raises DamagedObjectError for a file that is none."""
        self._file = os.open(path, os.O_RDONLY)
        self._oid_size = oid_size
        head = os.pread(self._file, 8 + _FANOUT_SIZE, 0)
        self._second = head.startswith(_MAGIC)
        start = 8 if self._second else 0
        table = head[start : start + _FANOUT_SIZE]
        if len(table) < _FANOUT_SIZE or (self._second and int.from_bytes(head[4:8], "big") != 2):  # noqa: PLR2004 # the version
            self.close()
            raise DamagedObjectError(f"{path.name} is not the index of a pack")
        self._fanout = [int.from_bytes(table[at : at + 4], "big") for at in range(0, _FANOUT_SIZE, 4)]
        self._names = start + _FANOUT_SIZE
        self._entry = oid_size if self._second else 4 + oid_size

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def find(self, oid: bytes) -> int | None:
        """Return the offset of the object in the pack, None where the pack does not have it."""
        low, high = (self._fanout[oid[0] - 1] if oid[0] else 0), self._fanout[oid[0]]
        while high - low > _SCANNED:
            middle = (low + high) // 2
            if self._read_names(middle, 1)[-self._oid_size :] <= oid:
                low = middle
            else:
                high = middle
        names = self._read_names(low, high - low)
        skip = self._entry - self._oid_size
        for at in range(0, len(names), self._entry):
            if names[at + skip : at + self._entry] == oid:
                return self._offset(low + at // self._entry, names[at : at + skip])
        return None

    def _read_names(self, first: int, count: int) -> bytes:
        return os.pread(self._file, count * self._entry, self._names + first * self._entry)

    def _offset(self, number: int, before: bytes) -> int:
        if not self._second:
            return int.from_bytes(before, "big")
        total = self._fanout[-1]
        offsets = self._names + total * (self._oid_size + 4)
        offset = int.from_bytes(os.pread(self._file, 4, offsets + number * 4), "big")
        if offset < _LARGE:
            return offset
        large = offsets + total * 4 + (offset - _LARGE) * 8
        return int.from_bytes(os.pread(self._file, 8, large), "big")
