"""What the analyser asks of its child process: a message in msgpack for each file."""

from msgspec import Struct


class Request(Struct, frozen=True, array_like=True):
    """One file to measure; bytes, because its text may hold what UTF-8 cannot."""

    path: bytes
    content: bytes
