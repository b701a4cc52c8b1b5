"""Events that concern no aggregate."""

from domain.event import Event


class CommandUnchanged(Event, topic="command.unchanged", version=1):
    """A command with an idempotency key was accepted and changed nothing.

    *stream* and *stream_version* are what the command was about and the version it found.
    """

    stream: str
    stream_version: int
