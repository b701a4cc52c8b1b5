"""What the analyser and its child process say to each other: msgpack behind a length (u32, big-endian)."""

from struct import Struct as Layout
from typing import Final

from msgspec import Struct

LENGTH: Final = Layout(">I")
READY: Final = LENGTH.pack(0)
"""The child's first frame, an empty one: it can take files now."""


class Request(Struct, frozen=True, array_like=True):
    """Carry one file to the child; bytes, for its text may hold what UTF-8 cannot."""

    path: bytes
    content: bytes


def frame(body: bytes) -> bytes:
    """Return *body* behind its length."""
    return LENGTH.pack(len(body)) + body
