"""The lines of a file, plain or compressed, none of them longer than memory allows."""

import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

LONGEST_LINE: Final = 32 * 1024 * 1024
UNREADABLE: Final = (OSError, EOFError, lzma.LZMAError, zlib.error)

_CHUNK: Final = 64 * 1024
_XZ_MEMORY: Final = 70 * 1024 * 1024
"""What `xz -9` needs to decompress."""


class LongLineError(Exception):
    """A line is longer than `LONGEST_LINE`."""


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines; raises LongLineError, and one of `UNREADABLE` where the file cannot be read."""
    if path.suffix == ".xz":
        yield from _split(_xz_pieces(path))
        return
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from _split(_pieces(cast("BinaryIO", file)))


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for line in ended:
            yield b"".join((*begun, line)) if begun else line
            begun, size = [], 0
        if rest:
            begun.append(rest)
            size += len(rest)
        if size > LONGEST_LINE:
            raise LongLineError
    if begun:
        yield b"".join(begun)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece


def _xz_pieces(path: Path) -> Iterator[bytes]:
    """Decompress xz and the older lzma, several streams too, with bounded memory for its dictionary."""
    with path.open("rb") as file:
        engine: Any = None
        left = file.read(_CHUNK)
        while left or (engine is not None and not engine.eof):
            if engine is None:
                engine = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            piece = engine.decompress(left, _CHUNK)
            if piece:
                yield piece
            if engine.eof:
                left = engine.unused_data.lstrip(b"\0") or file.read(_CHUNK).lstrip(b"\0")
                engine = None
            elif engine.needs_input:
                left = file.read(_CHUNK)
                if not left:
                    raise EOFError("the compressed file ends too early")
            else:
                left = b""
