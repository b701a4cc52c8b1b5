"""What becomes of a command."""

from msgspec import Struct

from commands.position import Position
from domain.actor import Actor
from domain.command import Command
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Refusal,
    StaleVersionError,
    TooLargeError,
)


class KeyReusedError(Refusal):
    """An idempotency key that came with another body before."""

    code = "idempotency_key_reused"


REFUSALS: dict[str, type[Refusal]] = {
    "invalid": InvalidError,
    "too_large": TooLargeError,
    "forbidden": ForbiddenError,
    "not_found": NotFoundError,
    "version_mismatch": StaleVersionError,
    "idempotency_key_reused": KeyReusedError,
    "conflict": ConflictError,
    "refused": Refusal,
}
"""Each kind of refusal under the name by which logs and nodes know it, the narrow ones first."""


def refusal_from(kind: str, message: str, code: str, pointer: str | None) -> Refusal:
    """Make a refusal of *kind* anew, word for word."""
    known = REFUSALS.get(kind, Refusal)
    made = known.__new__(known)
    Refusal.__init__(made, message, code=code, pointer=pointer)
    return made


class Submission(Struct, frozen=True, kw_only=True):
    """A command with what accompanies it.

    *keyed* tells that *command_id* derives from an idempotency key, so that it may have been seen before;
    *fingerprint* then identifies the body it came with. *attempt* names one try to carry the command out on several
    nodes; *unanswered* tells that another node was asked first and did not answer, so that a refusal is to be recorded.
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
    attempt: str | None = None
    unanswered: bool = False


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
