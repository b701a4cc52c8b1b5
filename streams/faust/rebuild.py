"""Build a read model anew beside the live one from Kafka, and switch, while workers go on.

The switch takes only where the build is at or beyond the live checkpoint; the store decides that in the same step. A
worker holds at most one batch beyond the live checkpoint. Its next write meets ModelSwitchedError; it takes up the
build's checkpoint and projects that batch again: what the build includes is left out, what it lacks is projected. So
no event between the build and the worker is skipped.
"""

import asyncio
import threading
from collections.abc import Callable

import structlog

from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError
from commands.mapper import EventMapper
from projections.model import ReadModel
from projections.redis.progress import ProgressPublisher, projected
from projections.store import DocumentStore, Rebuild
from streams.faust.projecting import START, Events, packed_place
from streams.faust.reading import PartitionReader, Read, partition_reader
from streams.projecting import decode
from streams.rebuild import RebuildCancelledError, writes_of

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
    partition: int = 0,
) -> int:
    """Rebuild *model* from the first event and switch to it; return the sequence it includes.

    *progress* gets the offsets read and the log's end. Raises PoisonError where an event cannot be projected,
    RebuildCancelledError and LogUnavailableError; all leave the live model as it is.
    """

    async def run() -> int:
        build = store.begin_rebuild(model)
        try:
            async with partition_reader(settings, partition) as reader:
                work = _Building(reader, store, Events(mapper), model, build, progress, cancelled)
                return await work.run()
        except BaseException:
            build.cancel()
            raise

    sequence = asyncio.run(run())
    if publisher is not None:
        checkpoints = {model.name: store.checkpoints()[model.name]}
        publisher.publish(projected("rebuild", partition, sequence, sequence, None, checkpoints))
    return sequence


class _Building:
    """A build under way."""

    def __init__(
        self,
        reader: PartitionReader,
        store: DocumentStore,
        events: Events,
        model: ReadModel,
        build: Rebuild,
        progress: Callable[[int, int], None] | None,
        cancelled: threading.Event | None,
    ) -> None:
        self._reader = reader
        self._store = store
        self._events = events
        self._model = model
        self._build = build
        self._progress = progress
        self._cancelled = cancelled
        self._place = START

    async def run(self) -> int:
        """Catch up and switch; where the worker was faster, catch up again."""
        for _ in range(_SWITCH_TRIES):
            await self._catch_up()
            try:
                self._build.switch()
            except ValueError:
                if self._store.checkpoints()[self._model.name].sequence <= self._place.tip.sequence:
                    raise  # not behind: it was ended by somebody else
                continue
            return self._place.tip.sequence
        raise LogUnavailableError(f"the build of {self._model.name} does not catch up with the live model")

    async def _catch_up(self) -> None:
        end = await self._reader.end()
        while self._place.next_offset < end:
            if self._cancelled is not None and self._cancelled.is_set():
                raise RebuildCancelledError(
                    f"the rebuild of {self._model.name} was cancelled at event {self._place.tip.sequence}"
                )
            found = await self._reader.read(self._place)
            await asyncio.to_thread(self._apply, found)
            self._place = found.place
            if self._progress is not None:
                self._progress(self._place.next_offset, end)

    def _apply(self, found: Read) -> None:
        topics = self._model.topics
        records = [record for record in found.records if topics is None or record.topic in topics]
        writes = writes_of(self._model, decode(self._events, records))
        self._build.apply(writes, found.place.tip.sequence, packed_place(found.place))
