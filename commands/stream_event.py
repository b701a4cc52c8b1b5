"""An event with its stream and version."""

from msgspec import Struct

from domain.event import Event


class StreamEvent(Struct, frozen=True):
    """The *version*-th event of *stream*."""

    stream: str
    version: int
    event: Event
