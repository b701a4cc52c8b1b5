"""Build a read model anew beside the live one from Kafka, and switch, while workers go on.

The switch takes only where the build is at or beyond the live checkpoint; the store decides that in the same step. A
worker holds at most one batch beyond the live checkpoint. Its next write meets ModelSwitchedError; it takes up the
build's checkpoint and projects that batch again: what the build includes is left out, what it lacks is projected. So
no event between the build and the worker is skipped.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import structlog

from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError
from commands.mapper import EventMapper
from commands.record_events import RecordEvents
from projections.model import ReadModel
from projections.redis.progress import ProgressPublisher, batch_message
from projections.store import DocumentStore, Rebuild
from streams.batch_projection import decode, project_strictly
from streams.faust.partition_state import START, packed_place
from streams.faust.reader import PartitionReader, Read, partition_reader
from streams.rebuild import RebuildCancelledError

_SWITCH_TRIES = 100
_PAUSE_SECONDS = 0.5

logger = structlog.get_logger(__name__)


def rebuild_from_kafka(
    settings: KafkaSettings,
    store: DocumentStore,
    mapper: EventMapper,
    model: ReadModel,
    *,
    publisher: ProgressPublisher | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Rebuild *model* from the first event of every partition and switch; return how many events it includes.

    *progress* gets the offsets read and the log's end, of all partitions together. Raises PoisonError where an event
    cannot be projected, RebuildCancelledError and LogUnavailableError; all leave the live model as it is.
    """

    async def run() -> dict[int, int]:
        build = store.begin_rebuild(model)
        try:
            async with AsyncExitStack() as stack:
                readers = [
                    await stack.enter_async_context(partition_reader(settings, number))
                    for number in range(settings.partitions)
                ]
                work = _Building(readers, store, RecordEvents(mapper), model, build, progress, cancelled)
                return await work.run()
        except BaseException:
            build.cancel()
            raise

    sequences = asyncio.run(run())
    for partition, sequence in sequences.items():
        if publisher is None:
            break
        checkpoints = {model.name: store.checkpoints(partition)[model.name]}
        publisher.publish(batch_message("rebuild", partition, sequence, sequence, None, checkpoints))
    return sum(sequences.values())


class _Building:
    """A build under way: partitions are read side by side, and what they hold is projected one after the other."""

    def __init__(
        self,
        readers: Sequence[PartitionReader],
        store: DocumentStore,
        events: RecordEvents,
        model: ReadModel,
        build: Rebuild,
        progress: Callable[[int, int], None] | None,
        cancelled: threading.Event | None,
    ) -> None:
        self._readers = readers
        self._store = store
        self._events = events
        self._model = model
        self._build = build
        self._progress = progress
        self._cancelled = cancelled
        self._places = {reader.partition: START for reader in readers}
        self._ends = {reader.partition: 0 for reader in readers}
        self._applying = asyncio.Lock()

    async def run(self) -> dict[int, int]:
        """Catch up and switch; where the worker was faster, catch up again. Return the sequences by partition."""
        for _ in range(_SWITCH_TRIES):
            await self._catch_up()
            try:
                self._build.switch()
            except ValueError:
                if not self._is_behind():
                    raise  # it was ended by somebody else
                continue
            return {partition: place.tip.sequence for partition, place in self._places.items()}
        raise LogUnavailableError(f"the build of {self._model.name} does not catch up with the live model")

    def _is_behind(self) -> bool:
        return any(
            self._store.checkpoints(partition)[self._model.name].sequence > place.tip.sequence
            for partition, place in self._places.items()
        )

    async def _catch_up(self) -> None:
        """Read every partition to its present end; one that fails ends the others."""
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
        partition = reader.partition
        while (place := self._places[partition]).next_offset < self._ends[partition]:
            if self._cancelled is not None and self._cancelled.is_set():
                raise RebuildCancelledError(
                    f"the rebuild of {self._model.name} was cancelled at event {place.tip.sequence}"
                )
            found = await reader.read(place)
            async with self._applying:
                await asyncio.to_thread(self._apply, partition, found)
            self._places[partition] = found.place
            if self._progress is not None:
                done = sum(place.next_offset for place in self._places.values())
                self._progress(done, sum(self._ends.values()))

    def _apply(self, partition: int, found: Read) -> None:
        topics = self._model.topics
        records = [record for record in found.records if topics is None or record.topic in topics]
        writes = project_strictly(self._model, decode(self._events, records))
        self._build.apply(writes, found.place.tip.sequence, packed_place(found.place), partition)
