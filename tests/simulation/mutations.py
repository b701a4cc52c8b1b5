"""The protocol with one rule taken out, one function for each rule."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from msgspec import structs

from commands import batch_decider
from commands.batch_decider import Pending, decide_batch
from commands.kafka.node.settlement import Settlement
from commands.kafka.prefetch.message import IncomingMessage, PrefetchedRecord
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, VoidMessage
from commands.kafka.protocol.message import split_chain
from commands.kafka.protocol.partition import OutcomeUnknownError, Partition
from commands.log import LogUnavailableError, TipMovedError
from commands.outcomes import Accepted, Outcome, Refused, Submission, Unavailable
from commands.position import Position

Mutation = Callable[[], AbstractContextManager[Any]]


def without_chain_rule() -> AbstractContextManager[Any]:
    """Every message with a chain value counts."""
    sound = ChainRule.judge

    def judge(self: ChainRule, message: IncomingMessage) -> CountedMessage | VoidMessage:
        checkpoint, verdict = self.checkpoint, sound(self, message)
        if isinstance(message, PrefetchedRecord):
            if isinstance(verdict, VoidMessage) and checkpoint.opened:
                return self._append(checkpoint, message.offset, message.record, message.tracking)
            return verdict
        parts = split_chain(message)
        if isinstance(verdict, VoidMessage) and parts is not None and checkpoint.opened:
            return self._count(checkpoint, message, parts.chain, parts.values)
        return verdict

    return patch.object(ChainRule, "judge", judge)


def without_contiguity() -> AbstractContextManager[Any]:
    """An acknowledged batch counts, at whichever offset it landed."""
    return patch.object(Partition, "_is_contiguous", lambda *_: True)


def outcome_by_tip() -> AbstractContextManager[Any]:
    """After an unknown outcome, a tip that moved is taken for the batch's own."""

    async def outcomes(self: Settlement, submissions: Sequence[Submission]) -> list[Outcome]:
        unknown = None
        while True:
            tip = self._log.tip()
            if unknown not in {None, tip}:
                position = Position.at(tip.sequence, tip.chain)
                return [
                    Accepted(command_id=item.command_id, stream="", version=0, position=position)
                    for item in submissions
                ]
            decided = decide_batch(self._states, self._log, submissions, max(self._clock(), tip.occurred_at))
            try:
                return await self._settled(decided)
            except OutcomeUnknownError:
                unknown = tip
            except TipMovedError:
                await asyncio.sleep(0.01)

    return patch.object(Settlement, "outcomes", outcomes)


def without_deduplication() -> AbstractContextManager[Any]:
    """No command is looked up by its id."""
    return patch.object(batch_decider, "_repeated", lambda *_, **__: None)


def resume_unchecked() -> AbstractContextManager[Any]:
    """A start continues from the replica without comparing it with the log."""

    async def resume(self: Partition) -> None:
        self._rule = ChainRule(self.number, self.checkpoint)

    return patch.object(Partition, "_resume", resume)


def refusals_at_once() -> AbstractContextManager[Any]:
    """A refusal is answered before the batch it was decided in is settled."""
    sound = Settlement.outcomes

    async def outcomes(self: Settlement, submissions: Sequence[Submission]) -> list[Outcome]:
        decided = decide_batch(self._states, self._log, submissions, self._log.tip().occurred_at)
        early = [item.outcome if isinstance(item.outcome, Refused) else None for item in decided.pending]
        later: Sequence[Outcome]
        try:
            later = await sound(self, submissions)
        except LogUnavailableError as error:
            later = [Unavailable(command_id=item.command_id, reason=str(error)) for item in submissions]
        return [first or last for first, last in zip(early, later, strict=True)]

    return patch.object(Settlement, "outcomes", outcomes)


def without_proof_of_the_end() -> AbstractContextManager[Any]:
    """A batch that appends nothing is answered from the view as it is."""

    async def confirm(*_: Any) -> None:
        return None

    return patch.object(Partition, "confirm", confirm)


def unrecorded_refusal() -> AbstractContextManager[Any]:
    """A refusal after an unanswered forward leaves nothing in the log."""

    def refused(_: Any, __: Any, submission: Submission, refusal: Any, ___: int) -> Pending:
        outcome = Refused(command_id=submission.command_id, refusal=refusal)
        return Pending(command_id=submission.command_id, outcome=outcome)

    return patch.object(batch_decider, "_refused", refused)


def unrecorded_unchanged() -> AbstractContextManager[Any]:
    """A command that changes nothing leaves nothing in the log either, after an unanswered forward."""
    sound = batch_decider._decide

    def decide(decided: Any, log: Any, submission: Submission, *rest: Any) -> Pending:
        return sound(decided, log, structs.replace(submission, unanswered=False), *rest)

    return patch.object(batch_decider, "_decide", decide)


def without_fence() -> AbstractContextManager[Any]:
    """A batch of unknown outcome does not delay an answer."""
    return patch.object(Partition, "_require_no_doubt", lambda _: None)


def without_offsets_of_voids() -> AbstractContextManager[Any]:
    """The expected offset of a void record is ignored."""
    sound = ChainRule._void

    def void(self: ChainRule, offset: int, reason: str, *, false_history: bool = False) -> VoidMessage:
        return sound(self, offset, reason)

    return patch.object(ChainRule, "_void", void)


def without_alarm_about_voids() -> AbstractContextManager[Any]:
    """A void record at its expected offset raises no alarm."""
    return patch.object(Partition, "_check_fork", lambda *_: None)


@contextmanager
def nothing() -> Iterator[None]:
    """Change nothing."""
    yield
