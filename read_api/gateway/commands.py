"""Carry out commands: what accompanies one, and one at a time for each idempotency key."""

import asyncio
import re
from collections.abc import Mapping, Sequence

from commands.bus import Bus, BusyError, accepted
from commands.intake import CommandMetadata
from commands.log import LogUnavailableError
from commands.outcomes import Accepted, Outcome, Refused, Submission
from commands.precondition import Precondition
from domain.actor import Actor
from domain.errors import Refusal
from read_api.gateway.hidden_reviews import HiddenReviews
from read_api.gateway.quotas.guard import QuotaGuard
from read_api.problems import LOG_UNAVAILABLE, RETRY_SECONDS, BadInputError, HttpError, no_outcome
from telemetry.tracing import TRACEPARENT

_KEY_LENGTH = 255
_KEY = re.compile(f"[!-~]{{1,{_KEY_LENGTH}}}")


def command_metadata(
    actor: Actor,
    *,
    correlation: str,
    traceparent: str | None = None,
    key: str | None = None,
    condition: Precondition | None = None,
) -> CommandMetadata:
    """Return what accompanies a command; raises BadInputError for a malformed idempotency *key*.

    A malformed *traceparent* is ignored (W3C Trace Context, section 3.2).
    """
    if key is not None and not _KEY.fullmatch(key):
        raise BadInputError(
            f"an Idempotency-Key has 1 to {_KEY_LENGTH} printable characters and no spaces", "Idempotency-Key"
        )
    if traceparent is not None and not TRACEPARENT.fullmatch(traceparent):
        traceparent = None
    return CommandMetadata(
        actor=actor,
        key=key,
        precondition=condition,
        correlation=correlation,
        traceparent=traceparent,
    )


class Commands:
    """Carry out commands within a time limit, and never two with the same idempotency key at once."""

    def __init__(self, bus: Bus, answer_seconds: float, quotas: QuotaGuard, hidden: HiddenReviews) -> None:
        """Wait up to *answer_seconds* for what *bus* makes of what *quotas* and *hidden* let pass."""
        self._bus = bus
        self._seconds = answer_seconds
        self._quotas = quotas
        self._hidden = hidden
        self._in_flight: set[str] = set()

    async def carry_out(self, submission: Submission) -> Accepted:
        """Carry out one command; raises Refusal, and HttpError 409 or 503 with the command's id."""
        command_id, in_flight = submission.command_id, self._in_flight
        if command_id in in_flight:
            raise HttpError(
                409,
                "in_flight",
                "the first request with this Idempotency-Key has not been answered yet",
                headers={"Retry-After": str(RETRY_SECONDS), "CodePark-Command": command_id},
            )
        in_flight.add(command_id)
        try:
            async with asyncio.timeout(self._seconds):
                outcomes = await self._execute([submission])
            return accepted(outcomes[0])
        except (TimeoutError, LogUnavailableError, BusyError) as error:
            raise no_outcome(error, LOG_UNAVAILABLE, {"CodePark-Command": command_id}) from error
        finally:
            in_flight.discard(command_id)

    async def carry_out_batch(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out commands in order, each with an outcome of its own; raises HttpError 503."""
        if not submissions:
            return []
        try:
            async with asyncio.timeout(self._seconds):
                return await self._execute(submissions)
        except (TimeoutError, BusyError) as error:
            raise no_outcome(error, "busy") from error

    async def _execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out the commands that quotas admit, on what their senders see; raises as the bus does."""
        hidden = await self._hidden.refusals(submissions)
        admission = await self._quotas.admit(submissions)
        outcomes: list[Outcome] = []
        try:
            if admission.refusals or hidden:
                outcomes = await self._execute_others(submissions, {**admission.refusals, **hidden})
            else:
                outcomes = await self._bus.execute(submissions)
            return outcomes
        finally:
            admission.end(outcomes)

    async def _execute_others(
        self, submissions: Sequence[Submission], refusals: Mapping[int, Refusal]
    ) -> list[Outcome]:
        """Carry out the commands that are not refused by *refusals*, which are by place."""
        others = [submission for place, submission in enumerate(submissions) if place not in refusals]
        outcomes = iter(await self._bus.execute(others) if others else ())
        return [
            Refused(command_id=submission.command_id, refusal=refusals[place])
            if place in refusals
            else next(outcomes)
            for place, submission in enumerate(submissions)
        ]
