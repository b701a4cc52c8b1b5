"""Drive the projectors with what Faust delivers: batches, dead letters, back-off, acknowledgement."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import structlog
from faust.types import TP

from commands.kafka.protocol.chain_rule import LogCheckpoint
from commands.kafka.protocol.message import Message
from commands.log import LogUnavailableError
from projections.store import ModelSwitchedError, NewerModelError, StoreUnavailableError
from streams.faust.app import Inbox
from streams.faust.dead_letter_retry import Retrying
from streams.faust.metrics import Figures
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.reader import PartitionReader
from streams.faust.requests import RetryResult

T = TypeVar("T")

BATCH = 500
_IDLE_SECONDS = 0.5
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0

logger = structlog.get_logger(__name__)


class Effects(Protocol):
    """What a step does beside the store. Each raises LogUnavailableError where Kafka is away."""

    async def before(self, partition: int, step: Step) -> None:
        """Do what must be done before *step* is kept: send dead letters, publish."""
        ...

    def after(self, partition: int, step: Step) -> None:
        """Tell that *step* is kept; called in the worker's thread, must not raise."""
        ...

    def anew(self, partition: int, projector: PartitionProjector) -> None:
        """Tell that anything may have changed; called in the worker's thread, must not raise."""
        ...


class LostPartitionError(Exception):
    """The partition was given to another worker: what is not kept yet is theirs."""


class PartitionDriver:
    """One assigned partition: takes messages in order, and keeps each batch before the next begins."""

    def __init__(
        self,
        projector: PartitionProjector,
        reader: PartitionReader,
        effects: Effects,
        figures: Figures,
        executor: ThreadPoolExecutor,
        retrying: Retrying | None = None,
    ) -> None:
        """Drive *projector*; all its work is done in *executor*, which has one thread."""
        self.projector = projector
        self.reader = reader
        self.ended = asyncio.Event()
        self._effects = effects
        self._figures = figures
        self._executor = executor
        self._retrying = retrying
        self._beginning = asyncio.Lock()
        self.begun = False

    async def begin(self) -> LogCheckpoint:
        """Load the checkpoints, compare them with the log, and return where to read on.

        Tries until the store and Kafka answer. Raises LogCorruptError, LostPartitionError.
        """
        async with self._beginning:
            if self.begun:
                return self.projector.place
            place = await self._insist(lambda: self.thread(self.projector.load))
            await self._insist(lambda: self.reader.check(place))
            self.begun = True
        logger.info(
            "partition begun",
            partition=self.projector.partition,
            sequence=place.tip.sequence,
            offset=place.next_offset,
        )
        return place

    async def take(self, messages: Sequence[Message]) -> None:
        """Project and keep *messages*; what is known is left out, and what is missing is read from the log.

        Raises LogCorruptError, LostPartitionError.
        """
        first = self.projector.place.next_offset
        if messages[0].offset < first:
            messages = [message for message in messages if message.offset >= first]
        if not messages:
            return
        last = messages[-1].offset
        if messages[0].offset == first and last - first == len(messages) - 1:
            await self.step(messages)
        else:
            await self.read_to(last + 1)

    async def read_to(self, offset: int) -> None:
        """Read everything below *offset* from the log itself: a stream of messages with a gap shows no order.

        Offsets without a message in an answer of the broker hold none (markers of transactions).
        """
        while (start := self.projector.place.next_offset) < offset:
            messages, after = await self._insist(partial(self.reader.messages, start))
            for index in range(0, len(messages), BATCH):
                chunk = messages[index : index + BATCH]
                await self.step(chunk, after if index + BATCH >= len(messages) else 0)
            if not messages and after > start:
                await self.step((), after)

    async def step(self, messages: Sequence[Message], after: int = 0) -> None:
        """Project and keep one batch, and try until it is kept."""
        began = self.projector.place
        while self.projector.place.next_offset == began.next_offset:
            try:
                await self._insist(lambda: self._once(messages, after))
            except ModelSwitchedError:
                await self._switched()
                if self.projector.place.next_offset < began.next_offset:
                    await self.read_to(began.next_offset)

    async def _once(self, messages: Sequence[Message], after: int) -> None:
        started = time.perf_counter()
        step = await self.thread(lambda: self.projector.project(messages, after))
        await self._effects.before(self.projector.partition, step)
        await self.thread(lambda: self._keep(step))
        self._figures.stepped(self.projector, step, time.perf_counter() - started)

    def _keep(self, step: Step) -> None:
        self.projector.keep(step)
        if step.records:
            self._effects.after(self.projector.partition, step)

    async def _switched(self) -> None:
        """Take up the checkpoints of what somebody has switched to.

        A build is switched to only at or beyond the live checkpoint, so the same batch goes on with it; where a
        model is behind nevertheless, the place goes back.
        """
        back = await self._insist(lambda: self.thread(self.projector.reload))
        logger.info("a model was switched", partition=self.projector.partition, read_again=back)

    async def between(self) -> None:
        """Do between two batches what was asked for; raises LostPartitionError."""
        retrying = self._retrying
        if retrying is None or not retrying.due():
            return
        await self.thread(retrying.take)
        try:
            if retrying.look():
                await self._insist(lambda: self._retry(retrying))
        except ModelSwitchedError:
            await self._switched()  # the letters went with the old model: the next time finds what is left
        except LostPartitionError:
            retrying.finish(RetryResult(solved=0, left=0, error="the partition went to another worker"))
            raise

    async def _retry(self, retrying: Retrying) -> None:
        letters = await self.thread(retrying.letters)
        found = await retrying.complete(letters)
        step = await self.thread(lambda: retrying.solved(letters, found))
        await self._effects.before(self.projector.partition, step)
        await self.thread(lambda: self._keep_retried(step))
        retrying.answer(letters, step)

    def _keep_retried(self, step: Step) -> None:
        self.projector.keep_changes(step)
        self._effects.anew(self.projector.partition, self.projector)

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until the store and Kafka answer; nothing is skipped meanwhile, and the group keeps this worker."""
        pause = _PAUSE_SECONDS
        while not self.ended.is_set():
            try:
                found = await attempt()
            except (ModelSwitchedError, NewerModelError):
                raise
            except (StoreUnavailableError, LogUnavailableError) as error:
                if pause == _PAUSE_SECONDS:
                    logger.warning("projection waits", partition=self.projector.partition, reason=str(error))
                self._figures.waits(self.projector.partition, str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.ended.wait(), pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                self._figures.goes_on(self.projector.partition)
                return found
        raise LostPartitionError

    async def thread(self, work: Callable[[], T]) -> T:
        """Do *work* in the worker's one thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def end(self) -> None:
        """Try nothing any more."""
        self.ended.set()
        if self._retrying is not None:
            await self._retrying.close()
        await self.reader.close()


class Driving:
    """All partitions of a worker: makes drivers at assignments, and feeds them from Faust's stream."""

    def __init__(
        self, open_driver: Callable[[int], PartitionDriver], failed: Callable[[BaseException], None]
    ) -> None:
        """Make drivers with *open_driver*; *failed* gets what no retry can mend."""
        self._open = open_driver
        self._failed = failed
        self.drivers: dict[int, PartitionDriver] = {}

    async def starts(self, assigned: set[TP]) -> Mapping[TP, int]:
        """Return where to begin in each assigned partition; those that are driven already go on where they are."""
        await self.keep_only(assigned)
        return {place: await self._start(place.partition) for place in assigned}

    async def _start(self, partition: int) -> int:
        driver = self.drivers.get(partition)
        if driver is None:
            driver = self.drivers[partition] = self._open(partition)
        try:
            return (await driver.begin()).next_offset
        except LostPartitionError:
            return 0
        except Exception as error:  # noqa: BLE001 # whatever it is, this worker cannot go on
            self._failed(error)
            return 0

    async def keep_only(self, assigned: set[TP]) -> None:
        """Let go of what is not among *assigned*: who does not own a partition must not answer for it."""
        ours = {place.partition for place in assigned}
        for partition in self.drivers.keys() - ours:
            await self.drivers.pop(partition).end()

    async def revoke(self, revoked: set[TP]) -> None:
        """Let go of partitions."""
        for place in revoked:
            driver = self.drivers.pop(place.partition, None)
            if driver is not None:
                await driver.end()

    async def feed(self, inbox: Inbox) -> None:
        """Take what arrives, in batches of whatever is there.

        Batches grow with the load by themselves: while one is kept, the next gathers.
        """
        while True:
            parts = await _gather(inbox)
            try:
                await self._take(parts)
            except LostPartitionError:
                continue
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 # as above
                self._failed(error)
                await asyncio.Event().wait()

    async def _take(self, parts: Mapping[int, Sequence[Message]]) -> None:
        for partition, messages in parts.items():
            for start in range(0, len(messages), BATCH):
                if (driver := self._begun(partition)) is not None:
                    await driver.take(messages[start : start + BATCH])
        for partition in list(self.drivers):
            if (driver := self._begun(partition)) is not None:
                await driver.between()

    def _begun(self, partition: int) -> PartitionDriver | None:
        driver = self.drivers.get(partition)
        return driver if driver is not None and driver.begun else None

    def offsets(self) -> dict[int, int]:
        """Return the offset behind what is kept of each partition."""
        return {number: driver.projector.place.next_offset for number, driver in self.drivers.items()}

    async def close(self) -> None:
        """Let go of all partitions."""
        for partition in list(self.drivers):
            await self.drivers.pop(partition).end()


async def _gather(inbox: Inbox) -> dict[int, list[Message]]:
    """Return what has arrived, at least one message unless none comes for a while."""
    parts: dict[int, list[Message]] = {}
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_IDLE_SECONDS):
            arrived = await inbox.get()
        while True:
            partition, records = arrived
            parts.setdefault(partition, []).extend(
                Message(record.offset, record.key, record.value, record.headers) for record in records
            )
            size += len(records)
            if size >= BATCH or inbox.empty():
                break
            arrived = inbox.get_nowait()
    return parts
