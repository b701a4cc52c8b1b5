"""The messages between the analyser and its child process, in msgpack."""

from msgspec import Struct

from insights.report import FileReport


class Request(Struct, frozen=True, array_like=True):
    """One file to measure; bytes, because its text may hold what UTF-8 cannot."""

    path: bytes
    content: bytes


class Greeting(Struct, frozen=True, array_like=True):
    """The child is ready; *missing* names the limits that this platform does not let it set."""

    missing: tuple[str, ...]


class Analysis(Struct, frozen=True, array_like=True):
    """The report of one file, and the processor time that it took."""

    report: FileReport
    seconds: float
