"""What is added to the index of a project, and what it returns of a moment."""

from msgspec import Struct


class FileChange(Struct, frozen=True):
    """A file got this version by the event *sequence*; version 0 says that it was deleted.

    *commit* is the one that changed it, if one did.
    """

    sequence: int
    path: str
    version: int
    size: int
    digest: str | None = None
    commit: str | None = None


class CommitMade(Struct, frozen=True):
    """Commit *number* was recorded by the event *sequence* of a command whose last event is *end*.

    *authored_at* is in milliseconds since the epoch, None where its time cannot be read.
    """

    sequence: int
    number: int
    end: int
    authored_at: int | None


class Reached(Struct, frozen=True):
    """The last event that the index has read for a project, and the chain of the log there."""

    sequence: int = 0
    chain: bytes = b""


class PastFile(Struct, frozen=True):
    """A file as it was at a moment."""

    path: str
    version: int
    size: int
    digest: str | None
