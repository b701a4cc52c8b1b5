"""Submissions and outcomes between nodes, as msgpack."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import msgspec
from msgspec import Struct

from commands.outcomes import REFUSALS, Accepted, Outcome, Refused, Submission, Unavailable, refusal_from
from domain.actor import Actor
from domain.registry import COMMANDS

_AnyCommand: Any = reduce(or_, COMMANDS)


class _Submitted(Struct, frozen=True, kw_only=True):
    """A submission whose command is told by its tag."""

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


class _Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An outcome: accepted, refused or unavailable, by which part is there."""

    accepted: Accepted | None = None
    command_id: str = ""
    kind: str | None = None
    code: str = ""
    message: str = ""
    pointer: str | None = None
    unavailable: str | None = None


_encoder = msgspec.msgpack.Encoder()
_submissions = msgspec.msgpack.Decoder(list[_Submitted])
_outcomes = msgspec.msgpack.Decoder(list[_Outcome])


def encode_submissions(submissions: Sequence[Submission]) -> bytes:
    """Write submissions."""
    names = _Submitted.__struct_fields__
    return _encoder.encode([{name: getattr(item, name) for name in names} for item in submissions])


def decode_submissions(data: bytes) -> list[Submission]:
    """Read submissions; raises msgspec.MsgspecError."""
    return [
        Submission(**{name: getattr(item, name) for name in item.__struct_fields__})
        for item in _submissions.decode(data)
    ]


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """Write outcomes."""
    return _encoder.encode([_written(outcome) for outcome in outcomes])


def decode_outcomes(data: bytes) -> list[Outcome]:
    """Read outcomes; raises msgspec.MsgspecError."""
    return [_read(item) for item in _outcomes.decode(data)]


def _written(outcome: Outcome) -> _Outcome:
    if isinstance(outcome, Accepted):
        return _Outcome(accepted=outcome)
    if isinstance(outcome, Unavailable):
        return _Outcome(command_id=outcome.command_id, unavailable=outcome.reason)
    refusal = outcome.refusal
    kind = next(name for name, known in REFUSALS.items() if isinstance(refusal, known))
    return _Outcome(
        command_id=outcome.command_id,
        kind=kind,
        code=refusal.specific_code,
        message=refusal.message,
        pointer=refusal.pointer,
    )


def _read(item: _Outcome) -> Outcome:
    if item.accepted is not None:
        return item.accepted
    if item.unavailable is not None:
        return Unavailable(command_id=item.command_id, reason=item.unavailable)
    refusal = refusal_from(item.kind or "refused", item.message, item.code, item.pointer)
    return Refused(command_id=item.command_id, refusal=refusal)
