"""The event log on Kafka: the adapter of the cluster profile, one partition with its local replica."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import structlog
from uuid_utils import uuid7

from commands.chain import first_chain, source_of
from commands.chained_records import number_batch
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.batch_cutter import cut_batch
from commands.kafka.prefetch.pool import PrefetchPool
from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.chain_rule import CountedMessage, LogCheckpoint
from commands.kafka.protocol.chained_messages import ChainedBatch, chain_messages
from commands.kafka.protocol.follower import Prefetcher
from commands.kafka.protocol.partition import FenceNeededError, Partition
from commands.kafka.protocol.topics import ensure_log
from commands.kafka.protocol.transport import BrokerUnavailableError, TooLargeForBatchError, Transport
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
from commands.mapper import EventMapper, RecordEvents
from commands.stream_event import StreamEvent
from domain.errors import TooLargeError
from domain.record import Record
from telemetry.instruments import appended

_APPEND_SECONDS = 30.0
_START_SECONDS = 60.0

RecordsCallback = Callable[[Sequence[Record]], None]

logger = structlog.get_logger(__name__)


class KafkaEventLog(RecordEvents):
    """The history of one partition: appended to Kafka, read from the replica.

    Methods that end in `_in_loop` are for the command bus and run in the Kafka loop; the methods of the port
    may be called from any other thread.
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
        prefetcher: Prefetcher | None = None,
    ) -> None:
        """Prepare the partition's replica in *folder*; `start` or `follow` reads the log.

        The default *transport* is aiokafka's, and by default several processes prefetch a long history.
        """
        super().__init__(mapper)
        self.settings = settings
        self.thread = thread
        self._listeners: list[tuple[RecordsCallback, frozenset[str] | None]] = []
        self._foreign_callbacks: list[RecordsCallback] = []
        self._reader: ReplicaReader | None = None
        self._reader_lock = threading.Lock()
        self._replica = Replica(
            folder / f"replica-{partition}.sqlite", partition, while_reset=self._while_replica_is_reset
        )
        self._check_replica()
        self._announced = self.checkpoint.tip.sequence
        self._number = partition
        self.partition = Partition(
            partition,
            transport or KafkaTransport(settings, settings.topic, partition),
            self._replica,
            counted=self._announce,
            prefetcher=prefetcher or PrefetchPool(settings, settings.topic, partition),
        )

    def start(self, timeout: float = _START_SECONDS) -> None:
        """Create the topic unless it exists, read to the log's end, and follow the log from then on.

        Raises LogUnavailableError where Kafka does not answer, LogCorruptError.
        """
        self.thread.run(self._start(), timeout)

    async def _start(self) -> None:
        try:
            partitions = await ensure_log(self.settings)
        except BrokerUnavailableError as error:
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
    def checkpoint(self) -> LogCheckpoint:
        """Return how far the replica is."""
        return self._replica.checkpoint

    @property
    def log_id(self) -> str:
        """Return the log's id; empty until the log has been read."""
        return self.checkpoint.log_id

    @property
    def source(self) -> str:
        """Return the CloudEvents source of the log's records."""
        return source_of(self.log_id)

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        return first_chain(self.log_id, self.number, self.checkpoint.partitions)

    def tip(self) -> Tip:
        """Return the sequence, chain value and event time of the last record."""
        return self.checkpoint.tip

    @property
    def unavailable(self) -> str | None:
        """Return why the log takes nothing now, None where it does."""
        return self.partition.corrupt or self.partition.unavailable

    def append(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append *batch* from a thread other than the Kafka loop's."""
        try:
            return self.thread.run(self.append_in_loop(expected, batch, snapshots), _APPEND_SECONDS)
        except TimeoutError as error:
            raise LogUnavailableError("no acknowledgement in time") from error

    async def append_in_loop(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append *batch* in the Kafka loop, cut at 8 MiB between commands.

        Raises TipMovedError and OutcomeUnknownError (decide again; what counts already is found by command
        id), LogUnavailableError, LogCorruptError, TooLargeError for one command that no RecordBatch holds.
        """
        checkpoint = self.checkpoint
        if checkpoint.tip != expected:
            raise TipMovedError(f"the log is at {checkpoint.tip.sequence}, not at {expected.sequence}")
        events = [each.event for command in batch for each in command.events]
        personal = [event for event in events if event.SUBJECT]
        if personal:
            await asyncio.to_thread(self._mapper.prepare, personal)
            if checkpoint != self.checkpoint:
                raise TipMovedError("another writer appended while the keys were made")
        self._require_new_versions(batch)
        records: list[Record] = []
        for part in cut_batch(batch):
            # After *checkpoint* and no later one, for the batch was decided on it.
            records += await self._append_part(checkpoint, part)
            checkpoint = self.checkpoint  # nothing ran since the part was stored, so this is the one after it
        self._save_snapshots(snapshots)
        return records

    def _require_new_versions(self, batch: Sequence[CommandEvents]) -> None:
        """Refuse a version that a stream has already, before anything is sent: the log keeps everything."""
        events = [event for command in batch for event in command.events]
        highest = self._replica.highest_versions(list({event.stream for event in events}))
        for event in events:
            if event.version <= highest.get(event.stream, 0):
                raise LogUnavailableError(
                    f"the batch cannot be used: {event.stream} has version {event.version} already"
                )
            highest[event.stream] = event.version

    async def _append_part(self, checkpoint: LogCheckpoint, part: Sequence[CommandEvents]) -> list[Record]:
        def build(expected: LogCheckpoint) -> ChainedBatch:
            source, first_at = source_of(expected.log_id), expected.next_offset
            numbered = number_batch(self._mapper, source, expected.tip, part, first_at)
            return chain_messages(expected, [CountedMessage(record) for record in numbered])

        began = time.perf_counter()
        try:
            counted = await self.partition.append(checkpoint, build)
        except TooLargeForBatchError as error:
            raise TooLargeError("the command's events are more than one batch of the log holds") from error
        appended(len(counted), began)
        return [message.record for message in counted if message.record is not None]

    async def confirm_in_loop(self, expected: Tip) -> None:
        """Return once the broker has confirmed that *expected* is the end; raises as `Partition.confirm`."""
        checkpoint = self.checkpoint
        if checkpoint.tip != expected:
            raise TipMovedError(f"the log is at {checkpoint.tip.sequence}")
        await self.partition.confirm(checkpoint)

    async def catch_up_in_loop(self) -> None:
        """Read to what is now the end of the partition; raises LogUnavailableError, LogCorruptError."""
        with suppress(TipMovedError, FenceNeededError):
            await self.partition.confirm(self.checkpoint)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        """Return up to *limit* records of *selection* with a sequence above *after*."""
        with self._reading() as reader:
            return reader.read(after, limit, selection) if reader else []

    def chains(self, sequences: Sequence[int]) -> dict[int, bytes]:
        """Return the chain values of the records with these sequences, of those that are here."""
        with self._reading() as reader:
            return reader.chains(sequences) if reader else {}

    def version_at(self, stream: str, sequence: int) -> int:
        """Return the version that *stream* had after the record *sequence*."""
        with self._reading() as reader:
            return reader.version_at(stream, sequence) if reader else 0

    def stream_records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to *limit* records of *stream* with a version above *after*."""
        with self._reading() as reader:
            return reader.stream_records(stream, after, limit) if reader else []

    def tip_at(self, sequence: int) -> Tip:
        """Return the tip that the log had after the record *sequence*; raises LogUnavailableError."""
        with self._reading() as reader:
            if reader is None:
                raise LogUnavailableError("the log has not been read yet")
            return reader.tip_at(sequence)

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events with a version above *after*."""
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

    def command_records(self, command: str) -> list[Record]:
        """Return what the command appended."""
        with self._reading() as reader:
            return reader.command_records(command) if reader else []

    def sequence_at(self, time: int) -> int:
        """Return the sequence of the last record with an event time up to *time*."""
        with self._reading() as reader:
            return reader.sequence_at(time) if reader else 0

    def on_append(self, callback: RecordsCallback, topics: frozenset[str] | None = None) -> None:
        """Call *callback* in the Kafka loop with records that count, whichever node appended them.

        With *topics*, call it only where one of the records has one of these topics.
        """
        self._listeners.append((callback, topics))

    def on_foreign(self, callback: RecordsCallback) -> None:
        """Call *callback* with the records of other writers, before anything can be decided on them.

        A call without records means that the replica is being rebuilt.
        """
        self._foreign_callbacks.append(callback)

    def close(self) -> None:
        """End following, and close the replica."""
        try:
            self.thread.run(self.partition.close(), 10.0)
        finally:
            if self._reader is not None:
                self._reader.close()
            self._replica.close()

    def _announce(self, records: Sequence[Record], own: bool) -> None:
        if not own:
            for callback in self._foreign_callbacks:
                callback(records)
        # While a replica is rebuilt, records count again that were announced before.
        new = [record for record in records if record.sequence > self._announced]
        if new:
            self._announced = new[-1].sequence
            topics = {record.topic for record in new}
            for callback, wanted in self._listeners:
                if wanted is None or not wanted.isdisjoint(topics):
                    callback(new)

    def _save_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        try:
            self._replica.save_snapshots(snapshots)
        except sqlite3.Error as error:
            logger.warning("snapshots not kept", reason=str(error))

    @contextmanager
    def _reading(self) -> Iterator[ReplicaReader | None]:
        """Yield the reader, None before the log is opened; have a damaged replica rebuilt."""
        try:
            yield self._reader or self._open_reader()
        except LogCorruptError as error:
            logger.error("the replica is damaged, rebuilding it", reason=str(error))
            self.partition.unavailable = "the replica is damaged and is being rebuilt"
            self.thread.loop.call_soon_threadsafe(self.partition.schedule_rebuild)
            raise LogUnavailableError(self.partition.unavailable) from error

    def _open_reader(self) -> ReplicaReader | None:
        """Open the reader once the log is open, and not while a reset replaces the replica's file."""
        with self._reader_lock:
            if self._reader is None and self.checkpoint.opened:
                self._reader = ReplicaReader(self._replica.path, self._mapper)
            return self._reader

    def _check_replica(self) -> None:
        """Drop a replica whose last record does not fit its chain."""
        checkpoint = self.checkpoint
        if not checkpoint.opened:
            return
        first = first_chain(checkpoint.log_id, self._replica.partition, checkpoint.partitions)
        try:
            with closing(ReplicaReader(self._replica.path, self._mapper)) as reader:
                check_last(reader, checkpoint, first)
        except (ReplicaDamagedError, LogCorruptError, LogUnavailableError) as error:
            logger.warning("dropping the replica", reason=str(error))
            self._replica.reset()

    @contextmanager
    def _while_replica_is_reset(self) -> Iterator[None]:
        """Close the reader before, and tell the listeners after."""
        with self._reader_lock:
            reader, self._reader = self._reader, None
            if reader is not None:
                reader.close()
            yield
        for callback in self._foreign_callbacks:
            callback(())
