"""Follow the log into the queue: every job that an event asks for is added, also after a loss of the queue.

The checkpoint is stored with the jobs, and read again before each step. A server of the queue that lost its
last second, or everything, has lost as much of the checkpoint: what it lost is added again from the log. An
id of a job derives from its event, so that what is there already stays as it is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from msgspec import Struct

from commands.log import EventLog, LogUnavailableError, Selection
from commands.partitions import Logs
from domain.event import Event
from domain.record import Record
from jobs.job import JobsUnavailableError, NewJob
from jobs.queue import JobQueue
from processes.loops import pause
from projections.store import StoreUnavailableError

_BATCH = 500
_LOOK_SECONDS = 5.0
_RETRY_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class Reaction(Struct, frozen=True, kw_only=True):
    """What the events of some topics ask for.

    *jobs* may read the read models, so that it runs in a thread. Events that are older than *useful_seconds*
    ask for nothing: after a loss of the queue nobody gets the news of last year.
    """

    topics: frozenset[str]
    jobs: Callable[[Event, Record], Iterable[NewJob]]
    useful_seconds: float


class Reactor:
    """Adds the jobs that the events of *logs* ask for."""

    def __init__(
        self,
        logs: Logs[Any],
        queue: JobQueue,
        reactions: Sequence[Reaction],
        *,
        caught_up: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Follow *logs* into *queue*; *clock* gives the seconds since 1970.

        *caught_up* waits until the read models include the log's end: reactions read them.
        """
        self._logs = logs
        self._queue = queue
        self._caught_up = caught_up
        self._clock = clock
        self._reactions = _by_topic(reactions)
        self._topics = frozenset(self._reactions)
        self._selection = Selection(topics=tuple(sorted(self._topics)))
        self._grown = asyncio.Event()
        self._stopped = False

    def stop(self) -> None:
        """Let `run` end after its present step."""
        self._stopped = True
        self._grown.set()

    async def run(self) -> None:
        """Follow the logs until `stop` or a cancellation."""
        loop = asyncio.get_running_loop()

        def appended(_: Sequence[Record]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and the next start adds what is missing
                loop.call_soon_threadsafe(self._grown.set)

        for log in self._logs:
            log.on_append(appended, self._topics)
        failing = False
        while not self._stopped:
            try:
                await self.catch_up()
                failing = False
            except (JobsUnavailableError, LogUnavailableError, StoreUnavailableError) as error:
                if not failing:
                    logger.warning("jobs are not added now", reason=str(error))
                failing = True
            await pause(self._grown, _RETRY_SECONDS if failing else _LOOK_SECONDS)

    async def catch_up(self) -> None:
        """Add what the logs ask for up to their present ends.

        Raises JobsUnavailableError, LogUnavailableError, StoreUnavailableError.
        """
        self._grown.clear()
        for log in self._logs:
            while not self._stopped and await self._step(log):
                pass

    async def _step(self, log: EventLog) -> bool:
        """Add the jobs of the next events of a log; return whether there may be more."""
        name = f"{log.log_id}:{log.number}"
        stored = await self._queue.checkpoint(name)
        tip = (await asyncio.to_thread(log.tip)).sequence
        after = stored if stored <= tip else 0  # the log was restored from an older copy
        if after == tip:
            return False
        records = await asyncio.to_thread(log.read, after, _BATCH, self._selection)
        if records and self._caught_up is not None:
            await self._caught_up()
        jobs = await asyncio.to_thread(self._asked, log, records)
        await self._queue.add(jobs)
        whole = len(records) < _BATCH
        await self._queue.keep_checkpoint(name, max(tip, after) if whole else records[-1].sequence)
        return not whole

    def _asked(self, log: EventLog, records: Sequence[Record]) -> list[NewJob]:
        jobs: list[NewJob] = []
        for record in records:
            reaction = self._reactions[record.topic]
            if record.occurred_at / 1000 < self._clock() - reaction.useful_seconds:
                continue
            try:
                event = log.event(record)
            except StoreUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 # one event must not keep the others from the queue
                logger.error("an event asks for no job", topic=record.topic, reason=type(error).__name__)
                continue
            jobs += reaction.jobs(event, record)
        return jobs


def _by_topic(reactions: Iterable[Reaction]) -> Mapping[str, Reaction]:
    by_topic: dict[str, Reaction] = {}
    for reaction in reactions:
        for topic in reaction.topics:
            if by_topic.setdefault(topic, reaction) is not reaction:
                raise TypeError(f"two reactions are for {topic}")
    return by_topic
