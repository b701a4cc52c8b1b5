"""What becomes of a command."""

from msgspec import Struct

from commands.position import Position
from domain.actor import Actor
from domain.command import Command
from domain.errors import Refusal


class KeyReusedError(Refusal):
    """An idempotency key that came with another body before."""

    code = "idempotency_key_reused"


class Submission(Struct, frozen=True, kw_only=True):
    """A command with what accompanies it.

    *keyed* tells that *command_id* derives from an idempotency key, so that it may have been seen before;
    *fingerprint* then identifies the body it came with.
    """

    command: Command
    command_id: str
    actor: Actor
    keyed: bool = False
    fingerprint: str | None = None
    expected_version: int | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None


class Accepted(Struct, kw_only=True):
    """The command took effect: its stream, the version it left it at, and the position behind its events.

    *changed* is False where the state was already as the command wants it.
    """

    command_id: str
    stream: str
    version: int
    position: Position
    replayed: bool = False
    changed: bool = True


class Refused(Struct, kw_only=True):
    """The command may not take effect; nothing was stored."""

    command_id: str
    refusal: Refusal


class Unavailable(Struct, kw_only=True):
    """The log did not answer: a retry with the same idempotency key gets the one outcome."""

    command_id: str
    reason: str


Outcome = Accepted | Refused | Unavailable
