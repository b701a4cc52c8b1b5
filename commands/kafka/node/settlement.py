"""Decide, append, and answer only what is settled: the part of the command bus that Kafka's rules are about."""

import asyncio
import random
from collections.abc import Callable, Sequence

from uuid_utils import uuid7

from commands.batch_decider import DecidedBatch, decide_batch, settled_outcomes
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.protocol.partition import FenceNeededError, OutcomeUnknownError
from commands.log import CommandEvents, LogUnavailableError, TipMovedError
from commands.outcomes import Outcome, Submission
from commands.position import Position
from commands.stream_event import StreamEvent
from commands.table.dispatch import looked_at
from commands.unit_of_work import SettledStates
from domain.identifiers import technical_stream
from domain.log.events import LogFenced
from domain.times import Clock

_SECONDS = 8.0
_BACK_OFF_SECONDS = 0.002
_LONGEST_BACK_OFF_SECONDS = 0.1
FENCE_ACTOR = "service:log"


class Settling:
    """Carry out batches of commands on one partition, one after the other, in the Kafka loop.

    Nothing is answered before the batch it was decided with is settled: it counts, or, where nothing is to be
    appended, it is sure that the state it was decided on is the end of the log, and stays so for what this node has
    in flight.
    """

    def __init__(
        self,
        log: KafkaEventLog,
        view: SettledStates,
        clock: Clock,
        *,
        seconds: float = _SECONDS,
        log_of: Callable[[str], KafkaEventLog] | None = None,
    ) -> None:
        """Decide on *view*; give up after *seconds*: the outcome is then unknown.

        *log_of* gives the log of a home key where there are several partitions.
        """
        self._log_of = log_of
        self._log = log
        self._view = view
        self._clock = clock
        self._seconds = seconds

    async def outcomes(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Decide and append *submissions*; raises LogUnavailableError, LogCorruptError."""
        loop = asyncio.get_running_loop()
        deadline, tried, conflicts = loop.time() + self._seconds, set[str](), 0
        if self._log_of is not None:
            await self._look_elsewhere(submissions, self._log_of)
        while True:
            tip = self._log.tip()
            now = max(self._clock(), tip.occurred_at)
            decided = decide_batch(self._view, self._log, submissions, now, tried)
            try:
                return await self._settled(decided)
            except OutcomeUnknownError as error:
                reason = str(error)
            except TipMovedError as error:
                reason = str(error)
                conflicts += 1
                await asyncio.sleep(_back_off(conflicts))
            # Whatever was sent may count, also where a foreign batch was first: look each command up by its id.
            tried.update(append.command for append in decided.appends)
            # Of a batch that was cut, a part may count: its states are not those that were decided on any more.
            self._view.drop(decided.batch.changed)
            if loop.time() > deadline:
                raise LogUnavailableError(f"no outcome in time: {reason}")

    async def _look_elsewhere(
        self, submissions: Sequence[Submission], log_of: Callable[[str], KafkaEventLog]
    ) -> None:
        """Read another partition to its end where a stream that a command looks at is not known yet.

        What a decider learns there is advisory, but an account that was registered a moment ago, on another node, is
        not to be refused as unknown.
        """
        for submission in submissions:
            for home, stream in looked_at(submission.command):
                log = log_of(home)
                if log is not self._log and not log.existing([stream]):
                    await log.catch_up_here()

    async def _settled(self, decided: DecidedBatch) -> list[Outcome]:
        tip = self._log.tip()
        if decided.appends:
            records = await self._log.append_here(tip, decided.appends, decided.batch.due_snapshots())
            self._view.settle(decided.batch.changed)
            last = records[-1]
            return settled_outcomes(
                decided, records, Position.at(last.sequence, last.chain, self._log.number)
            )
        try:
            await self._log.confirm_here(tip)
        except FenceNeededError:
            await self._fence()
        return settled_outcomes(decided, (), Position.at(tip.sequence, tip.chain, self._log.number))

    async def _fence(self) -> None:
        """Move the tip, so that a batch of unknown outcome can no longer count."""
        tip = self._log.tip()
        home = f"log-{self._log.number}"
        stream, command = technical_stream(home), str(uuid7())
        version = self._view.get(stream).version + 1
        fence = CommandEvents(
            command=command,
            home=home,
            fingerprint=None,
            actor=FENCE_ACTOR,
            correlation=command,
            causation=None,
            traceparent=None,
            occurred_at=max(self._clock(), tip.occurred_at),
            events=(StreamEvent(stream, version, LogFenced()),),
        )
        self._view.drop((stream,))
        await self._log.append_here(tip, [fence])


def _back_off(conflicts: int) -> float:
    """Return how long a loser waits: writers that fight for a partition must not stay in step."""
    longest = min(_BACK_OFF_SECONDS * 2**conflicts, _LONGEST_BACK_OFF_SECONDS)
    return float(random.random() * longest)  # noqa: S311 # nothing is secret about it
