"""Events that concern no aggregate."""

from domain.event import Event

_WITHHELD = "concerns the log, not what people did"


class CommandUnchanged(Event, topic="command.unchanged", version=1, withheld=_WITHHELD):
    """A command with an idempotency key was accepted and changed nothing.

    *stream* and *stream_version* are what the command was about and the version it found.
    """

    stream: str
    stream_version: int


class CommandRefused(Event, topic="command.refused", version=1, withheld=_WITHHELD):
    """A command was refused after another node, asked first, had not answered.

    Its outcome is kept, so that the other node cannot accept the same attempt later. *kind*, *code*, *message* and
    *pointer* make up the refusal; *stream* is what the command was about.
    """

    stream: str
    kind: str
    code: str
    message: str
    pointer: str | None


class LogFenced(Event, topic="log.fenced", version=1, withheld=_WITHHELD):
    """A writer moved the tip, so that a batch of its own whose outcome it did not learn can no longer count."""
