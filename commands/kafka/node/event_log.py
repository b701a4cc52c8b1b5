"""The event log on Kafka: the adapter of the cluster profile, one partition with its local replica."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from uuid_utils import uuid7

from commands.chain import first_chain, source_of
from commands.chained_records import number_batch
from commands.kafka.loop_thread import LoopThread
from commands.kafka.prefetch.pool import Examiners
from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.chain_rule import Counted, Place
from commands.kafka.protocol.chained_messages import seal
from commands.kafka.protocol.follower import Ahead
from commands.kafka.protocol.partition import FenceNeededError, Partition
from commands.kafka.protocol.topics import ensure_log
from commands.kafka.protocol.transport import BrokerAwayError, Outgoing, TooLargeForBatchError, Transport
from commands.kafka.replica.replica import Replica, ReplicaDamagedError, ReplicaReader, check_last
from commands.kafka.settings import KafkaSettings
from commands.log import (
    EVERYTHING,
    CommandEvents,
    LogCorruptError,
    LogUnavailableError,
    Selection,
    Snapshot,
    Tip,
    TipMovedError,
)
from commands.mapper import EventMapper
from commands.stream_event import StreamEvent
from domain.errors import TooLargeError
from domain.event import Event
from domain.record import Record

_BATCH_BYTES = 8 * 1024 * 1024
_RECORD_OVERHEAD = 1_500
_APPEND_SECONDS = 30.0
_START_SECONDS = 60.0

logger = structlog.get_logger(__name__)


class KafkaEventLog:
    """The history of one partition: appended to Kafka, read from the replica.

    Writing is for the command bus and happens in the Kafka loop; the methods of the port may be called from any
    other thread.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        mapper: EventMapper,
        folder: Path,
        thread: LoopThread,
        partition: int = 0,
        *,
        transport: Transport | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        """Prepare the partition's replica in *folder*; `start` or `follow` reads the log.

        Without *transport* it is aiokafka's, and without *ahead* processes examine a long history.
        """
        self.settings = settings
        self.thread = thread
        self._mapper = mapper
        self._callbacks: list[Callable[[Sequence[Record]], None]] = []
        self._foreign: list[Callable[[Sequence[Record]], None]] = []
        self._replica = Replica(folder / f"replica-{partition}.sqlite", partition)
        self._reader: ReplicaReader | None = None
        self._check_replica()
        self._told = self._replica.place.tip.sequence
        self._number = partition
        self.partition = Partition(
            partition,
            transport or KafkaTransport(settings, settings.topic, partition),
            _Keeping(self),
            counted=self._counted,
            ahead=ahead or Examiners(settings, settings.topic, partition),
        )

    def start(self, timeout: float = _START_SECONDS) -> None:
        """Make the topic unless it is there, read to the log's end, and follow it.

        Raises LogUnavailableError where Kafka is away, LogCorruptError.
        """
        self.thread.run(self._start(), timeout)

    async def _start(self) -> None:
        try:
            partitions = await ensure_log(self.settings)
        except BrokerAwayError as error:
            raise LogUnavailableError(str(error)) from error
        await self.partition.start(lambda: (str(uuid7()), partitions))
        self.partition.follow(lambda: (str(uuid7()), partitions))

    def follow(self) -> None:
        """Do as `start` in the background, and try until Kafka answers."""
        self.thread.run(self._follow(), _START_SECONDS)

    async def _follow(self) -> None:
        self.partition.follow(lambda: (str(uuid7()), self.settings.partitions), prepare=self._prepare)

    async def _prepare(self) -> None:
        await ensure_log(self.settings)

    @property
    def number(self) -> int:
        """Return which partition this is."""
        return self._number

    @property
    def place(self) -> Place:
        """Return where the replica is."""
        return self._replica.place

    @property
    def log_id(self) -> str:
        """Return the log's id; empty until the log has been read."""
        return self.place.log_id

    @property
    def source(self) -> str:
        """Return the CloudEvents source of the log's records."""
        return source_of(self.log_id)

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        return first_chain(self.log_id, self.number, self.place.partitions)

    def tip(self) -> Tip:
        """Return the last record's place."""
        return self._replica.place.tip

    @property
    def unavailable(self) -> str | None:
        """Return why the log takes nothing now."""
        return self.partition.corrupt or self.partition.unavailable

    def append(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append *batch* from a thread other than the Kafka loop's."""
        try:
            return self.thread.run(self.append_here(expected, batch, snapshots), _APPEND_SECONDS)
        except TimeoutError as error:
            raise LogUnavailableError("no acknowledgement in time") from error

    async def append_here(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append *batch* in the Kafka loop, cut at 8 MiB between commands.

        Raises TipMovedError and OutcomeUnknownError (decide again; what counts already is found by command id),
        LogUnavailableError, LogCorruptError, TooLargeError for one command that no RecordBatch holds.
        """
        place = self.place
        if place.tip != expected:
            raise TipMovedError(f"the log is at {place.tip.sequence}, not at {expected.sequence}")
        personal = [item.event for command in batch for item in command.events if item.event.SUBJECT]
        if personal:
            await asyncio.to_thread(self._mapper.prepare, personal)
            if place != self.place:
                raise TipMovedError("somebody appended while the keys were made")
        self._require_new_versions(batch)
        records: list[Record] = []
        for part in self._cut(batch):
            # Behind *place* and no later one: what was decided, was decided on it.
            records += await self._append_part(place, part)
            place = self.place  # nothing ran since the part was kept, so this is where it led to
        self._keep(snapshots)
        return records

    def _require_new_versions(self, batch: Sequence[CommandEvents]) -> None:
        """Refuse a version that a stream has already, before anything is sent: what is in the log stays there."""
        items = [item for command in batch for item in command.events]
        highest = self._replica.highest_versions(list({item.stream for item in items}))
        for item in items:
            if item.version <= highest.get(item.stream, 0):
                raise LogUnavailableError(
                    f"the batch cannot be used: {item.stream} has version {item.version}"
                )
            highest[item.stream] = item.version

    async def _append_part(self, place: Place, part: Sequence[CommandEvents]) -> list[Record]:
        def sealed(found: Place) -> tuple[list[Outgoing], Sequence[Counted]]:
            numbered = number_batch(self._mapper, source_of(found.log_id), found.tip, part, found.next_offset)
            return seal(found, [Counted(record) for record in numbered])

        try:
            taken = await self.partition.append(place, sealed)
        except TooLargeForBatchError as error:
            raise TooLargeError("the command's events are more than one batch of the log holds") from error
        return [item.record for item in taken if item.record is not None]

    def _cut(self, batch: Sequence[CommandEvents]) -> Iterator[list[CommandEvents]]:
        """Cut between commands wherever a RecordBatch would be over 8 MiB."""
        part: list[CommandEvents] = []
        size = 0
        for command in batch:
            added = sum(_size(item) for item in command.events)
            if part and size + added > _BATCH_BYTES:
                yield part
                part, size = [], 0
            part.append(command)
            size += added
        if part:
            yield part

    async def confirm_here(self, expected: Tip) -> None:
        """Return once it is sure that *expected* is the end, asked now; raises as `Partition.confirm`."""
        place = self.place
        if place.tip != expected:
            raise TipMovedError(f"the log is at {place.tip.sequence}")
        await self.partition.confirm(place)

    async def catch_up_here(self) -> None:
        """Read to the end of the partition, asked now, in the Kafka loop; raises LogUnavailableError, LogCorruptError."""
        with suppress(TipMovedError, FenceNeededError):
            await self.partition.confirm(self.place)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        """Return records of *selection* behind *after*."""
        with self._reading() as reader:
            return reader.read(after, limit, selection) if reader else []

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events behind *after*."""
        with self._reading() as reader:
            return reader.stream_events(stream, after) if reader else []

    def existing(self, streams: Sequence[str]) -> set[str]:
        """Return those of *streams* that have an event."""
        with self._reading() as reader:
            return reader.existing(streams) if reader else set()

    def last_event(self, stream: str) -> StreamEvent | None:
        """Return the stream's last event."""
        with self._reading() as reader:
            return reader.last_event(stream) if reader else None

    def snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        with self._reading() as reader:
            return reader.last_snapshot(stream) if reader else None

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries."""
        return self._mapper.event(record.topic, record.schema, record.data)

    def command_records(self, command: str) -> list[Record]:
        """Return what the command appended."""
        with self._reading() as reader:
            return reader.command_records(command) if reader else []

    def sequence_at(self, time: int) -> int:
        """Return the sequence of the last record with an event time up to *time*."""
        with self._reading() as reader:
            return reader.sequence_at(time) if reader else 0

    def on_append(self, callback: Callable[[Sequence[Record]], None]) -> None:
        """Call *callback* in the Kafka loop with records that count, whoever appended them."""
        self._callbacks.append(callback)

    def on_foreign(self, callback: Callable[[Sequence[Record]], None]) -> None:
        """Call *callback* with the records of other writers, before anything can be decided on them.

        Without records it means that the replica begins anew.
        """
        self._foreign.append(callback)

    def close(self) -> None:
        """End following, and close the replica."""
        try:
            self.thread.run(self.partition.close(), 10.0)
        finally:
            if self._reader is not None:
                self._reader.close()
            self._replica.close()

    def _counted(self, records: Sequence[Record], own: bool) -> None:
        if not own:
            for callback in self._foreign:
                callback(records)
        # A replica that is made anew counts again what was told of long ago.
        fresh = [record for record in records if record.sequence > self._told]
        if fresh:
            self._told = fresh[-1].sequence
            for callback in self._callbacks:
                callback(fresh)

    def _keep(self, snapshots: Sequence[Snapshot]) -> None:
        try:
            self._replica.keep(snapshots)
        except sqlite3.Error as error:
            logger.warning("snapshots not kept", reason=str(error))

    @contextmanager
    def _reading(self) -> Iterator[ReplicaReader | None]:
        """Give the reader, None before the log is opened; a damaged replica is made again."""
        if self._reader is None and self.place.opened:
            self._reader = ReplicaReader(self._replica.path, self._mapper)
        try:
            yield self._reader
        except LogCorruptError as error:
            logger.error("the replica is damaged, making it anew", reason=str(error))
            self.partition.unavailable = "the replica is damaged and being made anew"
            self.thread.loop.call_soon_threadsafe(self.partition.mend)
            raise LogUnavailableError(self.partition.unavailable) from error

    def _check_replica(self) -> None:
        """Drop a replica whose last record does not fit its chain."""
        place = self._replica.place
        if not place.opened:
            return
        reader = ReplicaReader(self._replica.path, self._mapper)
        try:
            check_last(reader, place, first_chain(place.log_id, self._replica.partition, place.partitions))
        except (ReplicaDamagedError, LogCorruptError, LogUnavailableError) as error:
            logger.warning("dropping the replica", reason=str(error))
            reader.close()
            self._replica.reset()
        else:
            reader.close()

    def _reset(self, forks: Sequence[int]) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        self._replica.reset(forks)
        for callback in self._foreign:
            callback(())


class _Keeping:
    """The replica as the partition sees it; a reset closes the readers too."""

    def __init__(self, log: KafkaEventLog) -> None:
        self._log = log

    @property
    def place(self) -> Place:
        return self._log._replica.place  # noqa: SLF001 # two halves of one adapter

    @property
    def forks(self) -> frozenset[int]:
        return self._log._replica.forks  # noqa: SLF001 # as above

    def stage(self, taken: Sequence[Counted]) -> None:
        self._log._replica.stage(taken)  # noqa: SLF001 # as above

    def unstage(self) -> None:
        self._log._replica.unstage()  # noqa: SLF001 # as above

    def apply(self, taken: Sequence[Counted], place: Place) -> None:
        self._log._replica.apply(taken, place)  # noqa: SLF001 # as above

    def reset(self, forks: Sequence[int] = ()) -> None:
        self._log._reset(forks)  # noqa: SLF001 # as above


def _size(item: StreamEvent) -> int:
    """Estimate the size of an event's record: its large texts, and what every record takes."""
    large = sum(
        len(value)
        for name in item.event.__struct_fields__
        if isinstance(value := getattr(item.event, name), str)
    )
    return _RECORD_OVERHEAD + large
