"""What the recorders of one application share: a partition, its replica, and group commit of all waiting inserts."""

import asyncio
import sqlite3
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any, Literal
from uuid import UUID

import structlog
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteApplicationRecorder, SQLiteDatastore
from msgspec import Struct
from uuid_utils import uuid7

from commands.chain import source_of
from commands.kafka.loop_thread import LoopThread
from commands.kafka.prefetch.pool import Examiners
from commands.kafka.protocol.chain_rule import Counted, Place
from commands.kafka.protocol.chained_messages import seal
from commands.kafka.protocol.partition import Partition
from commands.kafka.protocol.transport import BrokerAwayError, Outgoing, TooLargeForBatchError
from commands.kafka.replica.replica import Replica
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError, LogUnavailableError, TipMovedError
from commands.sqlite.reader import TABLE
from domain.record import Record
from domain.times import system_clock

_GROUP_EVENTS = 2_000
_GROUP_BYTES = 8 * 1024 * 1024
_TRIES = 100
_WAIT_SECONDS = 60.0

logger = structlog.get_logger(__name__)


class Insert(Struct, kw_only=True):
    """One call of a recorder: the events and the tracking record that are stored together or not at all."""

    events: Sequence[StoredEvent]
    streams: Sequence[str]
    tracking: Tracking | None
    command: str
    done: "Future[Sequence[int]]"

    @property
    def size(self) -> int:
        """Return about how many bytes it takes in the log."""
        return sum(len(event.state) + 600 for event in self.events)


class LogStore:
    """One partition of a topic of its own, for the recorders of an `eventsourcing` application."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        folder: Path | None,
        originator_id_type: Literal["uuid", "text"],
        partition: int = 0,
    ) -> None:
        """Make the topic unless it is there, and read it to its end; raises OperationalError."""
        self.topic = topic
        self._settings = settings
        self._temporary = None if folder is not None else tempfile.mkdtemp(prefix="codepark-replica-")
        folder = folder or Path(self._temporary or "")
        self._replica = Replica(folder / f"{topic}-{partition}.sqlite", partition, plain=True)
        self._snapshots_file = folder / f"{topic}-{partition}-snapshots.sqlite"
        self._thread = LoopThread(f"kafka-{topic}")
        self._waiting: deque[Insert] = deque()
        self._handing = threading.Lock()
        self._woken = False
        self._wake = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._id_type: Literal["uuid", "text"] = originator_id_type
        self._closed = False
        from commands.kafka.protocol.aiokafka_transport import KafkaTransport  # noqa: PLC0415 # needs the extra `cluster`

        transport = KafkaTransport(settings, topic, partition)
        ahead = Examiners(settings, topic, partition)
        self._partition = Partition(partition, transport, self, counted=self._counted, ahead=ahead)
        self._open_datastores()
        try:
            self._thread.run(self._start(), _WAIT_SECONDS)
        except (BrokerAwayError, LogUnavailableError, LogCorruptError, TimeoutError) as error:
            self.close()
            raise OperationalError(f"the log on Kafka cannot be used: {error}") from error

    # What the partition keeps its records in.

    @property
    def place(self) -> Place:
        """Return where the replica is."""
        return self._replica.place

    @property
    def forks(self) -> frozenset[int]:
        """Return the offsets of confirmed forks."""
        return self._replica.forks

    def stage(self, taken: Sequence[Counted]) -> None:
        """Prepare to keep what may come to count."""
        self._replica.stage(taken)

    def unstage(self) -> None:
        """Drop what does not."""
        self._replica.unstage()

    def apply(self, taken: Sequence[Counted], place: Place) -> None:
        """Keep what counts."""
        self._replica.apply(taken, place)

    def reset(self, forks: Sequence[int] = ()) -> None:
        """Drop the replica's content."""
        self._close_datastores()
        self._snapshots_file.unlink(missing_ok=True)
        self._replica.reset(forks)
        self._open_datastores()

    # What recorders call, from any thread.

    def insert(self, events: Sequence[StoredEvent], tracking: Tracking | None = None) -> Sequence[int]:
        """Store *events* and *tracking* together, and return the events' notification ids.

        Raises IntegrityError where a version exists or the tracking record is not a later one, OperationalError where
        Kafka does not answer.
        """
        insert = Insert(
            events=events,
            streams=[_stream(event) for event in events],
            tracking=tracking,
            command=str(uuid7()),
            done=Future(),
        )
        self._hand_in(insert)
        try:
            return insert.done.result(_WAIT_SECONDS)
        except TimeoutError as error:
            insert.done.cancel()
            raise OperationalError("no acknowledgement in time: the outcome is unknown") from error

    def tracked(self, name: str) -> int | None:
        """Return the highest tracked notification id of the application called *name*."""
        return self._thread.run(self._tracked(name), _WAIT_SECONDS)

    @property
    def reading(self) -> SQLiteApplicationRecorder:
        """Return what reads stored events and notifications from the replica."""
        return self._reading

    def snapshots(self) -> SQLiteAggregateRecorder:
        """Return a recorder of snapshots: a cache beside the replica, in a file whose writers wait for no broker."""
        recorder = SQLiteAggregateRecorder(self._snapshots, events_table_name="snapshots")
        recorder.create_table()
        return recorder

    def listen(self, callback: Callable[[], None]) -> None:
        """Call *callback* whenever there are new notifications."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Undo `listen`."""
        self._listeners.remove(callback)

    def close(self) -> None:
        """Let everything go; what is acknowledged is in Kafka."""
        if self._closed:
            return
        self._closed = True
        try:
            self._thread.run(self._partition.close(), 10.0)
        finally:
            self._thread.close()
            _fail(self._waiting, OperationalError("the recorder is closed"))
            self._close_datastores()
            self._replica.close()
            if self._temporary is not None:
                rmtree(self._temporary, ignore_errors=True)

    def _open_datastores(self) -> None:
        self._datastore = SQLiteDatastore(str(self._replica.path), originator_id_type=self._id_type)
        self._snapshots = SQLiteDatastore(str(self._snapshots_file), originator_id_type=self._id_type)
        self._reading = SQLiteApplicationRecorder(self._datastore, events_table_name=TABLE)

    def _close_datastores(self) -> None:
        self._datastore.close()
        self._snapshots.close()

    async def _start(self) -> None:
        from commands.kafka.protocol.topics import LOG_CONFIG, Topics  # noqa: PLC0415 # needs the extra `cluster`

        async with Topics(self._settings) as topics:
            await topics.ensure(self.topic, self._settings.partitions, LOG_CONFIG)
        await self._partition.start(lambda: (str(uuid7()), self._settings.partitions))
        self._partition.follow(lambda: (str(uuid7()), self._settings.partitions))
        self._working = asyncio.create_task(self._work())

    def _counted(self, records: Sequence[Record], own: bool) -> None:  # noqa: ARG002 # as the partition tells it
        for listener in self._listeners:
            listener()

    async def _tracked(self, name: str) -> int | None:
        await self._partition.settled()  # the replica shows its writer what may not come to count, too
        return self._replica.tracked(name)

    def _hand_in(self, insert: Insert) -> None:
        """Let *insert* wait for the writer; the first one that waits wakes it, once for all that follow."""
        if self._closed:
            raise OperationalError("the recorder is closed")
        with self._handing:
            self._waiting.append(insert)
            woken, self._woken = self._woken, True
        if not woken:
            self._thread.loop.call_soon_threadsafe(self._wake.set)

    def _next_group(self) -> list[Insert]:
        """Take what waits, up to a batch; without any, the next one wakes the writer again."""
        group: list[Insert] = []
        events = size = 0
        with self._handing:
            while self._waiting and events < _GROUP_EVENTS:
                insert = self._waiting[0]
                size += insert.size
                if group and size > _GROUP_BYTES:
                    break
                events += len(insert.events)
                group.append(self._waiting.popleft())
            if not group:
                self._woken = False
        return group

    async def _work(self) -> None:
        """Commit what waits, all together in one RecordBatch."""
        while True:
            group = self._next_group()
            if not group:
                await self._wake.wait()
                self._wake.clear()
                continue
            try:
                await self._commit(group)
            except (LogUnavailableError, LogCorruptError, sqlite3.Error) as error:
                _fail(group, OperationalError(str(error)))
            except TooLargeForBatchError as error:
                _fail(group, OperationalError(f"too large for one batch of the log: {error}"))
            except Exception as error:  # a fault of ours must not end the writer for everybody
                logger.exception("insert failed")
                _fail(group, OperationalError(f"{type(error).__name__}: {error}"))

    async def _commit(self, group: Sequence[Insert]) -> None:
        for attempt in range(_TRIES):
            place = self._partition.place
            due = self._due(group, retried=attempt > 0)
            if not due:
                return

            def sealed(found: Place, due: Sequence[Insert] = due) -> tuple[list[Outgoing], Sequence[Counted]]:
                return seal(found, _items(found, due))

            try:
                await self._partition.append(place, sealed)
            except TipMovedError:
                continue
            sequence = place.tip.sequence
            for insert in due:
                _resolve(insert, range(sequence + 1, sequence + 1 + len(insert.events)))
                sequence += len(insert.events)
            return
        raise LogUnavailableError(f"another writer was faster {_TRIES} times")

    def _due(self, group: Sequence[Insert], *, retried: bool) -> list[Insert]:
        """Return what is still to be appended; answer what counts already and what may not be stored."""
        waiting = [insert for insert in group if not insert.done.done()]
        if retried:
            for insert in waiting:
                known = self._replica.sequences_of(insert.command)
                if known:
                    _resolve(insert, known)
            waiting = [insert for insert in waiting if not insert.done.done()]
        taken = _Taken(self._replica, waiting)
        return [insert for insert in waiting if taken.takes(insert)]


class _Taken:
    """Which versions and tracking records are taken, the ones of the same group included."""

    def __init__(self, replica: Replica, inserts: Sequence[Insert]) -> None:
        self._replica = replica
        streams = list({stream for insert in inserts for stream in insert.streams})
        self._highest = replica.highest_versions(streams) if streams else {}
        self._new: set[tuple[str, int]] = set()
        self._tracked: dict[str, int | None] = {}

    def takes(self, insert: Insert) -> bool:
        """Take *insert*, or answer it with an IntegrityError."""
        keys = [
            (stream, event.originator_version)
            for stream, event in zip(insert.streams, insert.events, strict=True)
        ]
        if len(set(keys)) < len(keys) or any(self._exists(key) for key in keys):
            _reject(insert, "a version of a stream exists already")
            return False
        tracking = insert.tracking
        if tracking is not None:
            name = tracking.application_name
            last = self._tracked[name] if name in self._tracked else self._replica.tracked(name)
            if last is not None and tracking.notification_id <= last:
                _reject(insert, f"{name} is tracked up to {last} already")
                return False
            self._tracked[name] = tracking.notification_id
        self._new.update(keys)
        return True

    def _exists(self, key: tuple[str, int]) -> bool:
        if key in self._new:
            return True
        highest = self._highest.get(key[0])
        return highest is not None and key[1] <= highest and self._replica.has_version(*key)


def _items(place: Place, inserts: Sequence[Insert]) -> list[Counted]:
    items: list[Counted] = []
    now, sequence, at = max(system_clock(), place.tip.occurred_at), place.tip.sequence, place.next_offset
    source = source_of(place.log_id)
    for insert in inserts:
        tracking = _encoded(insert.tracking)
        if not insert.events:
            items.append(Counted(None, tracking))
            at += 1
        for index, (stream, event) in enumerate(zip(insert.streams, insert.events, strict=True), 1):
            sequence += 1
            record = Record(
                source=source,
                home=stream,
                stream=stream,
                version=event.originator_version,
                topic=event.topic,
                schema=1,
                data=event.state,
                sequence=sequence,
                at=at,
                command=insert.command,
                commit_index=index,
                commit_count=len(insert.events),
                occurred_at=now,
                actor="",
                correlation=insert.command,
                causation=None,
                traceparent=None,
                fingerprint=None,
            )
            items.append(Counted(record, tracking if index == 1 else None))
            at += 1
    return items


def _encoded(tracking: Tracking | None) -> bytes | None:
    return None if tracking is None else f"{tracking.application_name}\0{tracking.notification_id}".encode()


def _stream(event: StoredEvent) -> str:
    stream: Any = event.originator_id
    return stream.hex if isinstance(stream, UUID) else str(stream)


def _resolve(insert: Insert, sequences: Sequence[int]) -> None:
    with suppress(InvalidStateError):  # who waited has given up
        insert.done.set_result(sequences)


def _reject(insert: Insert, reason: str) -> None:
    _fail((insert,), IntegrityError(reason))


def _fail(group: Iterable[Insert], error: Exception) -> None:
    for insert in group:
        with suppress(InvalidStateError):  # it is answered already, or who waited has given up
            insert.done.set_exception(error)
