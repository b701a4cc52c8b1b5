"""Decide, append, and answer only what is settled: the part of the command bus that follows Kafka's rules."""

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
from commands.spans import KAFKA, appending, deciding
from commands.stream_event import StreamEvent
from commands.table.dispatch import looked_at
from commands.unit_of_work import SettledStates
from domain.identifiers import technical_stream
from domain.log.events import LogFenced
from domain.times import Clock
from telemetry.instruments import CONFLICTS

_SECONDS = 8.0
_BACK_OFF_SECONDS = 0.002
_LONGEST_BACK_OFF_SECONDS = 0.1
FENCE_ACTOR = "service:log"


class Settlement:
    """Carries out batches of commands on one partition, one after the other, in the Kafka loop.

    Nothing is answered before its batch is settled. A batch that appends is settled once it counts. One that
    appends nothing is settled once the broker has confirmed that the state it was decided on is the end of
    the log, and nothing that this node has in flight can still change that.
    """

    def __init__(
        self,
        log: KafkaEventLog,
        states: SettledStates,
        clock: Clock,
        *,
        seconds: float = _SECONDS,
        log_of: Callable[[str], KafkaEventLog] | None = None,
    ) -> None:
        """Decide on *states*; after *seconds* without an outcome, give up: it is then unknown.

        *log_of* gives the log of a home key where there are several partitions.
        """
        self._log_of = log_of
        self._log = log
        self._states = states
        self._clock = clock
        self._seconds = seconds

    async def outcomes(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Decide and append *submissions*; raises LogUnavailableError, LogCorruptError."""
        loop = asyncio.get_running_loop()
        deadline, tried, conflicts = loop.time() + self._seconds, set[str](), 0
        if self._log_of is not None:
            await self._learn_foreign_streams(submissions, self._log_of)
        while True:
            tip = self._log.tip()
            now = max(self._clock(), tip.occurred_at)
            with deciding(submissions, self._log.number):
                decided = decide_batch(self._states, self._log, submissions, now, tried)
            try:
                return await self._settled(decided)
            except OutcomeUnknownError as error:
                reason = str(error)
            except TipMovedError as error:
                CONFLICTS.inc()
                reason = str(error)
                conflicts += 1
                await asyncio.sleep(_back_off(conflicts))
            # What was sent may count, even after another writer's batch: look each command up by its id.
            tried.update(append.command for append in decided.appends)
            # A part of a batch that was cut may count: the states that it was decided on are then outdated.
            self._states.drop(decided.batch.changed)
            if loop.time() > deadline:
                raise LogUnavailableError(f"no outcome in time: {reason}")

    async def _learn_foreign_streams(
        self, submissions: Sequence[Submission], log_of: Callable[[str], KafkaEventLog]
    ) -> None:
        """Read another partition to its end where a stream that a command looks at is unknown.

        What a decider learns there is advisory, but it must not refuse an account as unknown that was
        registered on another node a moment ago.
        """
        for submission in submissions:
            for home, stream in looked_at(submission.command):
                log = log_of(home)
                if log is not self._log and not log.existing([stream]):
                    await log.catch_up_in_loop()

    async def _settled(self, decided: DecidedBatch) -> list[Outcome]:
        tip = self._log.tip()
        if decided.appends:
            with appending(decided.appends, self._log.number, KAFKA) as commands:
                records = await self._log.append_in_loop(tip, commands, decided.batch.due_snapshots())
            self._states.settle(decided.batch.changed)
            last = records[-1]
            return settled_outcomes(
                decided, records, Position.at(last.sequence, last.chain, self._log.number)
            )
        try:
            await self._log.confirm_in_loop(tip)
        except FenceNeededError:
            await self._fence()
        return settled_outcomes(decided, (), Position.at(tip.sequence, tip.chain, self._log.number))

    async def _fence(self) -> None:
        """Move the tip, so that a batch of unknown outcome can no longer count."""
        tip = self._log.tip()
        home = f"log-{self._log.number}"
        stream, command = technical_stream(home), str(uuid7())
        version = self._states.get(stream).version + 1
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
        self._states.drop((stream,))
        await self._log.append_in_loop(tip, [fence])


def _back_off(conflicts: int) -> float:
    """Return how long to wait after a conflict: randomly long, so that competing writers get out of step."""
    longest = min(_BACK_OFF_SECONDS * 2**conflicts, _LONGEST_BACK_OFF_SECONDS)
    return float(random.random() * longest)  # noqa: S311 # it is no secret
