"""The events that belong to no aggregate."""

from domain.event import Event

_WITHHELD = "concerns the log, not what people did"


class CommandUnchanged(Event, topic="command.unchanged", version=1, withheld=_WITHHELD):
    """A command with an idempotency key was accepted and changed nothing.

    *stream* is the stream that the command was about, *stream_version* its version then.
    """

    stream: str
    stream_version: int


class CommandRefused(Event, topic="command.refused", version=1, withheld=_WITHHELD):
    """A command was refused after another node, which was asked first, had not answered.

    The outcome is recorded so that the other node cannot accept the same attempt later. *kind*, *code*,
    *message* and *pointer* make up the refusal; *stream* is the stream that the command was about.
    """

    stream: str
    kind: str
    code: str
    message: str
    pointer: str | None


class LogFenced(Event, topic="log.fenced", version=1, withheld=_WITHHELD):
    """A writer moved the tip, so that its earlier batch with an unknown outcome can no longer count."""
