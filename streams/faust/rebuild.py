"""Rebuild a read model from Kafka next to the live one, and switch to it while workers continue.

The switch succeeds only if the rebuild is at or beyond the live checkpoint; the store decides that in the
same step. A worker holds at most one batch beyond the live checkpoint. Its next write raises
ModelSwitchedError. It then loads the checkpoint of the new generation and projects that batch again, without
the events that the generation includes. Therefore no event between the rebuild and the worker is skipped.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack

import structlog

from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError
from commands.mapper import EventMapper, RecordEvents
from projections.model import ReadModel
from projections.redis.progress import ProgressPublisher, batch_message
from projections.store import DocumentStore, Rebuild
from streams.batch_projection import decode, project_strictly
from streams.faust.partition_state import START, pack
from streams.faust.reader import CountedRecords, PartitionReader, partition_reader
from streams.rebuild import RebuildCancelledError, ReportProgress

_SWITCH_TRIES = 100

logger = structlog.get_logger(__name__)


def rebuild_from_kafka(
    settings: KafkaSettings,
    store: DocumentStore,
    mapper: EventMapper,
    model: ReadModel,
    *,
    publisher: ProgressPublisher | None = None,
    progress: ReportProgress | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Rebuild *model* from the first event of every partition and switch; return how many events it includes.

    *progress* gets the offsets read so far and the ends of the log, each summed over all partitions. Raises
    PoisonError where an event cannot be projected, RebuildCancelledError and LogUnavailableError; all of them
    leave the live model as it is.
    """

    async def run() -> dict[int, int]:
        build = store.begin_rebuild(model)
        try:
            async with AsyncExitStack() as stack:
                readers = [
                    await stack.enter_async_context(partition_reader(settings, number))
                    for number in range(settings.partitions)
                ]
                events = RecordEvents(mapper)
                return await _KafkaRebuild(readers, store, events, model, build, progress, cancelled).run()
        except BaseException:
            build.cancel()
            raise

    sequences = asyncio.run(run())
    if publisher is not None:
        for partition, sequence in sequences.items():
            checkpoints = {model.name: store.checkpoints(partition)[model.name]}
            publisher.publish(batch_message("rebuild", partition, sequence, sequence, None, checkpoints))
    return sum(sequences.values())


class _KafkaRebuild:
    """A rebuild under way: partitions are read in parallel, their batches are projected one at a time."""

    def __init__(
        self,
        readers: Sequence[PartitionReader],
        store: DocumentStore,
        events: RecordEvents,
        model: ReadModel,
        build: Rebuild,
        progress: ReportProgress | None,
        cancelled: threading.Event | None,
    ) -> None:
        self._readers = readers
        self._store = store
        self._events = events
        self._model = model
        self._build = build
        self._progress = progress
        self._cancelled = cancelled
        self._log_checkpoints = {reader.partition: START for reader in readers}
        self._ends = {reader.partition: 0 for reader in readers}
        self._applying = asyncio.Lock()

    async def run(self) -> dict[int, int]:
        """Catch up and switch, again if the worker was faster; return the sequences by partition."""
        for _ in range(_SWITCH_TRIES):
            await self._catch_up()
            try:
                self._build.switch()
            except ValueError:
                if not self._is_behind():
                    raise  # another process has ended this rebuild
                continue
            return {number: each.tip.sequence for number, each in self._log_checkpoints.items()}
        raise LogUnavailableError(f"the rebuild of {self._model.name} does not catch up with the live model")

    def _is_behind(self) -> bool:
        return any(
            self._store.checkpoints(number)[self._model.name].sequence > log_checkpoint.tip.sequence
            for number, log_checkpoint in self._log_checkpoints.items()
        )

    async def _catch_up(self) -> None:
        """Read every partition up to its present end; if one fails, the others end."""
        for reader in self._readers:
            self._ends[reader.partition] = await reader.end()
        tasks = [asyncio.create_task(self._read(reader)) for reader in self._readers]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, reader: PartitionReader) -> None:
        number = reader.partition
        while (log_checkpoint := self._log_checkpoints[number]).next_offset < self._ends[number]:
            if self._cancelled is not None and self._cancelled.is_set():
                raise RebuildCancelledError(
                    f"the rebuild of {self._model.name} was cancelled at event {log_checkpoint.tip.sequence}"
                )
            counted = await reader.read(log_checkpoint)
            async with self._applying:
                await asyncio.to_thread(self._apply, number, counted)
            self._log_checkpoints[number] = counted.log_checkpoint
            if self._progress is not None:
                offsets = sum(each.next_offset for each in self._log_checkpoints.values())
                self._progress(offsets, sum(self._ends.values()))

    def _apply(self, number: int, counted: CountedRecords) -> None:
        topics, after = self._model.topics, counted.log_checkpoint
        records = [record for record in counted.records if topics is None or record.topic in topics]
        writes = project_strictly(self._model, decode(self._events, records))
        self._build.apply(writes, after.tip.sequence, pack(after), number)
