"""Messages on the pipe between a process and its child: a length (u32, big-endian), then so many bytes."""

from struct import Struct
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from asyncio import StreamReader

LENGTH: Final = Struct(">I")


def frame(body: bytes) -> bytes:
    """Return *body* after its length."""
    return LENGTH.pack(len(body)) + body


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Write *body* after its length, and flush."""
    stream.write(LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next body, None where the stream ends before its last byte."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    body = stream.read(length)
    return body if len(body) == length else None


async def receive_frame(reader: "StreamReader") -> bytes:
    """Return the next body; raises asyncio.IncompleteReadError, an EOFError, where the stream ends."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return await reader.readexactly(length)
