"""What one request has asked about the past: the moments that it named, and those that its answer shows."""

import asyncio

from msgspec import Struct

from commands.position import Position


class PastMoment(Struct, frozen=True):
    """A moment of a project: the *sequence* of its partition, and the position that an answer names."""

    sequence: int
    position: Position


class RequestPast:
    """One request's questions about the past, which are answered one after the other."""

    def __init__(self) -> None:
        """Begin without a question."""
        self.turn = asyncio.Lock()
        self.moments: dict[tuple[str, str], PastMoment] = {}
        """By project and `asOf`: all fields of a request that name a time show the same moment."""
        self.shown: set[str] = set()

    @property
    def position(self) -> str | None:
        """Return the position that the answer shows, None where it shows several or none of the past."""
        return next(iter(self.shown)) if len(self.shown) == 1 else None
