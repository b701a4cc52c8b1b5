"""Submissions and outcomes between nodes, as msgpack."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import msgspec
from msgspec import Struct

from commands.outcomes import REFUSALS, Accepted, Outcome, Refused, Submission, Unavailable, refusal_from
from commands.precondition import Precondition
from domain.actor import Actor
from domain.registry import COMMANDS

_AnyCommand: Any = reduce(or_, COMMANDS)


class _WireSubmission(Struct, frozen=True, kw_only=True):
    """A submission; the tag of its command says which type it is."""

    command: _AnyCommand  # pyright: ignore[reportInvalidTypeForm] # a union made at run time
    command_id: str
    actor: Actor
    keyed: bool
    fingerprint: str | None
    expected_version: int | None
    correlation: str | None
    causation: str | None
    traceparent: str | None
    attempt: str | None
    precondition: Precondition | None = None


class _WireOutcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An outcome: accepted or unavailable where that field is set, else refused."""

    accepted: Accepted | None = None
    command_id: str = ""
    kind: str | None = None
    code: str = ""
    message: str = ""
    pointer: str | None = None
    unavailable: str | None = None


_encoder = msgspec.msgpack.Encoder()
_submissions = msgspec.msgpack.Decoder(list[_WireSubmission])
_outcomes = msgspec.msgpack.Decoder(list[_WireOutcome])


def encode_submissions(submissions: Sequence[Submission]) -> bytes:
    """Encode submissions."""
    names = _WireSubmission.__struct_fields__
    return _encoder.encode([{name: getattr(each, name) for name in names} for each in submissions])


def decode_submissions(data: bytes) -> list[Submission]:
    """Decode submissions; raises msgspec.MsgspecError."""
    return [
        Submission(**{name: getattr(each, name) for name in each.__struct_fields__})
        for each in _submissions.decode(data)
    ]


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """Encode outcomes."""
    return _encoder.encode([_to_wire(outcome) for outcome in outcomes])


def decode_outcomes(data: bytes) -> list[Outcome]:
    """Decode outcomes; raises msgspec.MsgspecError."""
    return [_from_wire(outcome) for outcome in _outcomes.decode(data)]


def _to_wire(outcome: Outcome) -> _WireOutcome:
    if isinstance(outcome, Accepted):
        return _WireOutcome(accepted=outcome)
    if isinstance(outcome, Unavailable):
        return _WireOutcome(command_id=outcome.command_id, unavailable=outcome.reason)
    refusal = outcome.refusal
    kind = next(name for name, known in REFUSALS.items() if isinstance(refusal, known))
    return _WireOutcome(
        command_id=outcome.command_id,
        kind=kind,
        code=refusal.specific_code,
        message=refusal.message,
        pointer=refusal.pointer,
    )


def _from_wire(outcome: _WireOutcome) -> Outcome:
    if outcome.accepted is not None:
        return outcome.accepted
    if outcome.unavailable is not None:
        return Unavailable(command_id=outcome.command_id, reason=outcome.unavailable)
    refusal = refusal_from(outcome.kind or "refused", outcome.message, outcome.code, outcome.pointer)
    return Refused(command_id=outcome.command_id, refusal=refusal)
