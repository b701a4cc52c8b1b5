"""Drive the projectors of one partition with the messages that Faust delivers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TypeVar

import structlog

from commands.kafka.protocol.chain_rule import LogCheckpoint
from commands.kafka.protocol.message import Message
from commands.log import LogUnavailableError
from projections.store import ModelSwitchedError, NewerModelError, StoreUnavailableError
from streams.faust.dead_letter_retry import DeadLetterRetry
from streams.faust.effects import StepEffects
from streams.faust.metrics import WorkerMetrics
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.reader import PartitionReader
from streams.faust.requests import RetryResult
from streams.spans import projecting
from telemetry import tracing
from telemetry.trace_lines import trace, traces

T = TypeVar("T")

BATCH = 500
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0

logger = structlog.get_logger(__name__)


class LostPartitionError(Exception):
    """The partition was assigned to another worker, which projects what is not stored yet."""


class PartitionDriver:
    """One assigned partition: takes messages in order, and stores each batch before the next one begins."""

    def __init__(
        self,
        projector: PartitionProjector,
        reader: PartitionReader,
        effects: StepEffects,
        metrics: WorkerMetrics,
        executor: ThreadPoolExecutor,
        retry: DeadLetterRetry | None = None,
    ) -> None:
        """Drive *projector*, all of whose work happens in *executor*, which has one thread."""
        self.projector = projector
        self.reader = reader
        self.ended = asyncio.Event()
        self._effects = effects
        self._metrics = metrics
        self._executor = executor
        self._retry = retry
        self._beginning = asyncio.Lock()
        self.begun = False

    async def begin(self) -> LogCheckpoint:
        """Load the checkpoints, compare them with the log, and return where to resume reading.

        Tries until the store and Kafka answer. Raises LogCorruptError and LostPartitionError.
        """
        async with self._beginning:
            if self.begun:
                return self.projector.log_checkpoint
            log_checkpoint = await self._insist(lambda: self._in_thread(self.projector.load))
            await self._insist(lambda: self.reader.check(log_checkpoint))
            self.begun = True
        logger.info(
            "partition begun",
            partition=self.projector.partition,
            sequence=log_checkpoint.tip.sequence,
            offset=log_checkpoint.next_offset,
        )
        return log_checkpoint

    async def take(self, messages: Sequence[Message]) -> None:
        """Project and store *messages*; leave out known ones, and read missing ones from the log.

        Raises LogCorruptError and LostPartitionError.
        """
        first = self.projector.log_checkpoint.next_offset
        if messages[0].offset < first:
            messages = [message for message in messages if message.offset >= first]
        if not messages:
            return
        last = messages[-1].offset
        if messages[0].offset == first and last - first == len(messages) - 1:
            await self._step(messages)
        else:
            await self._read_to(last + 1)

    async def _read_to(self, offset: int) -> None:
        """Read everything below *offset* from the log itself: across a gap, messages show no order.

        Offsets for which the broker returns no message hold markers of transactions.
        """
        while (start := self.projector.log_checkpoint.next_offset) < offset:
            messages, next_offset = await self._insist(partial(self.reader.messages, start))
            for index in range(0, len(messages), BATCH):
                chunk = messages[index : index + BATCH]
                await self._step(chunk, next_offset if index + BATCH >= len(messages) else 0)
            if not messages and next_offset > start:
                await self._step((), next_offset)

    async def _step(self, messages: Sequence[Message], next_offset: int = 0) -> None:
        """Project one batch, and try until it is stored."""
        began = self.projector.log_checkpoint
        while self.projector.log_checkpoint.next_offset == began.next_offset:
            try:
                await self._insist(lambda: self._step_once(messages, next_offset))
            except ModelSwitchedError:
                await self._reload()
                if self.projector.log_checkpoint.next_offset < began.next_offset:
                    await self._read_to(began.next_offset)

    async def _step_once(self, messages: Sequence[Message], next_offset: int) -> None:
        started, began, projector = time.perf_counter(), time.time_ns(), self.projector
        step = await self._in_thread(lambda: projector.project(messages, next_offset))
        wanted = projector.wanted(step.records) if tracing.enabled() else ()
        with projecting(projector.events, wanted, projector.partition, projector.names, began):
            await self._effects.before(projector.partition, step)
            await self._in_thread(lambda: self._store(step))
        self._metrics.count_step(projector, step, time.perf_counter() - started)

    def _store(self, step: Step) -> None:
        self.projector.store_step(step)
        if step.records:
            if traces():
                models = [change.model for change in step.changes]
                partition, events = self.projector.partition, len(step.records)
                trace("batch projected", partition=partition, events=events, models=models)
            self._effects.after(self.projector.partition, step)

    def _take_turn(self) -> None:
        homes = self.projector.take_turn()
        if homes:
            self._effects.changed(self.projector.partition, self.projector, homes)

    async def _reload(self) -> None:
        """Load the checkpoints again after another process has switched a model.

        A rebuild is switched to only at or beyond the live checkpoint, so the same batch continues with it.
        If a model is behind nevertheless, the log checkpoint moves back.
        """
        behind = await self._insist(lambda: self._in_thread(self.projector.reload))
        logger.info("a model was switched", partition=self.projector.partition, read_again=behind)

    async def between_batches(self) -> None:
        """Do a turn of what models have put off, and retry dead letters if that was requested.

        Raises LostPartitionError.
        """
        if self.projector.has_turn():
            try:
                await self._insist(lambda: self._in_thread(self._take_turn))
            except ModelSwitchedError:  # the entries are those of the old model
                await self._reload()
        retry = self._retry
        if retry is None or not retry.due():
            return
        await self._in_thread(retry.poll)
        try:
            if retry.looked_up():
                await self._insist(lambda: self._retry_once(retry))
        except ModelSwitchedError:  # the old model's dead letters are gone; the next retry finds what is left
            await self._reload()
        except LostPartitionError:
            retry.finish(RetryResult(solved=0, left=0, error="the partition went to another worker"))
            raise

    async def _retry_once(self, retry: DeadLetterRetry) -> None:
        dead_letters = await self._in_thread(retry.dead_letters)
        looked_up = await retry.complete(dead_letters)
        step = await self._in_thread(lambda: retry.step(dead_letters, looked_up))
        await self._effects.before(self.projector.partition, step)
        await self._in_thread(lambda: self._store_retry(step))
        retry.answer(dead_letters, step)

    def _store_retry(self, step: Step) -> None:
        self.projector.store_changes(step)
        self._effects.everything_changed(self.projector.partition, self.projector)

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until the store and Kafka answer; no event is skipped, and the worker stays in the group."""
        pause = _PAUSE_SECONDS
        while not self.ended.is_set():
            try:
                result = await attempt()
            except (ModelSwitchedError, NewerModelError):
                raise
            except (StoreUnavailableError, LogUnavailableError) as error:
                if pause == _PAUSE_SECONDS:
                    logger.warning("projection waits", partition=self.projector.partition, reason=str(error))
                self._metrics.set_waiting(self.projector.partition, waiting=True)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.ended.wait(), pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                self._metrics.set_waiting(self.projector.partition, waiting=False)
                return result
        raise LostPartitionError

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do *work* in the worker's one thread, and in the span of its caller."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, copy_context().run, work)

    async def end(self) -> None:
        """Stop trying, and release the reader."""
        self.ended.set()
        if self._retry is not None:
            await self._retry.close()
        await self.reader.close()
