"""Submissions of commands and their outcomes."""

from msgspec import Struct

from commands.position import Position
from commands.precondition import Precondition
from domain.actor import Actor
from domain.command import Command
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    Refusal,
    StaleVersionError,
    TooLargeError,
)


class KeyReusedError(Refusal):
    """The idempotency key was used with another body before."""

    code = "idempotency_key_reused"


REFUSALS: dict[str, type[Refusal]] = {
    "invalid": InvalidError,
    "too_large": TooLargeError,
    "forbidden": ForbiddenError,
    "not_found": NotFoundError,
    "version_mismatch": StaleVersionError,
    "precondition_failed": PreconditionFailedError,
    "idempotency_key_reused": KeyReusedError,
    "conflict": ConflictError,
    "refused": Refusal,
}
"""The kinds of refusals by the names that logs and nodes use, subclasses before their bases."""


def refusal_from(kind: str, message: str, code: str, pointer: str | None) -> Refusal:
    """Return the refusal of *kind* that was written down with this *message*, *code* and *pointer*."""
    cls = REFUSALS.get(kind, Refusal)
    refusal = cls.__new__(cls)
    Refusal.__init__(refusal, message, code=code, pointer=pointer)
    return refusal


class Submission(Struct, frozen=True, kw_only=True):
    """A command with what accompanies it.

    *keyed* says that *command_id* is derived from an idempotency key, so that the log may have it already;
    *fingerprint* then identifies the body that came with it. *attempt* names one try to carry the command out
    on several nodes; *unanswered* says that another node was asked first and did not answer, so that a
    refusal has to be recorded.
    """

    command: Command
    command_id: str
    actor: Actor
    keyed: bool = False
    fingerprint: str | None = None
    expected_version: int | None = None
    precondition: Precondition | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None
    attempt: str | None = None
    unanswered: bool = False


class Accepted(Struct, kw_only=True):
    """The command took effect: its stream, the stream's version then, and the position after its events.

    *replayed* says that this is the outcome of an earlier submission of the same command; *changed* is False
    where the state was already as the command wants it, *created* is True where the command made what was not
    there, or not there any more.
    """

    command_id: str
    stream: str
    version: int
    position: Position
    replayed: bool = False
    changed: bool = True
    created: bool = False


class Refused(Struct, kw_only=True):
    """The command was refused; none of its events was stored."""

    command_id: str
    refusal: Refusal


class Unavailable(Struct, kw_only=True):
    """The log did not answer; a retry with the same idempotency key returns the command's one outcome."""

    command_id: str
    reason: str


Outcome = Accepted | Refused | Unavailable
