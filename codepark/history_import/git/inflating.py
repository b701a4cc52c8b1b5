"""Decompress what an object's header promises, and never more than that."""

import zlib
from collections.abc import Callable, Iterator
from typing import Final

from codepark.history_import.git.errors import DamagedObjectError

CHUNK: Final = 16 * 1024
_HEADER: Final = 64


def inflate(pieces: Iterator[bytes], size: int) -> bytes:
    """Return exactly *size* bytes; raises DamagedObjectError where the stream has more or fewer."""
    engine = zlib.decompressobj()
    parts: list[bytes] = []
    left = size + 1  # one more byte shows that the stream is longer than promised
    try:
        for piece in pieces:
            part = engine.decompress(piece, left)
            parts.append(part)
            left -= len(part)
            if engine.eof or left <= 0:
                break
    except zlib.error as error:
        raise DamagedObjectError(str(error)) from error
    if left != 1:
        raise DamagedObjectError(f"it has another size than the {size} bytes of its header")
    return b"".join(parts)


def first_bytes(pieces: Iterator[bytes], count: int = _HEADER) -> bytes:
    """Return the first *count* bytes of a stream, or all that it has."""
    engine = zlib.decompressobj()
    data = b""
    try:
        for piece in pieces:
            data += engine.decompress(piece, count - len(data))
            if engine.eof or len(data) >= count:
                break
    except zlib.error as error:
        raise DamagedObjectError(str(error)) from error
    return data


def pieces_of(read: Callable[[int, int], bytes], offset: int) -> Iterator[bytes]:
    """Yield the bytes of a file from *offset* on; *read* takes an offset and a size."""
    while piece := read(offset, CHUNK):
        yield piece
        offset += len(piece)
