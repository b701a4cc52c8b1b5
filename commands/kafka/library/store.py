"""What the recorders of one application share: a partition, its replica, and group commit of inserts."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Literal

import structlog
from eventsourcing.persistence import OperationalError, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteApplicationRecorder, SQLiteDatastore
from uuid_utils import uuid7

from commands.application_records import stream_of
from commands.kafka.library.insert import Insert, UniquenessCheck, messages_of
from commands.kafka.loop_thread import LoopThread
from commands.kafka.prefetch.pool import PrefetchPool
from commands.kafka.protocol.chain_rule import LogCheckpoint
from commands.kafka.protocol.chained_messages import ChainedBatch, chain_messages
from commands.kafka.protocol.partition import Partition
from commands.kafka.protocol.transport import BrokerUnavailableError, TooLargeForBatchError
from commands.kafka.replica.replica import Replica
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError, LogUnavailableError, TipMovedError
from commands.queue import BusyError, LoopWorker, WorkQueue
from commands.sqlite.reader import TABLE
from domain.record import Record

_GROUP_EVENTS = 2_000
_GROUP_BYTES = 8 * 1024 * 1024
_TRIES = 100
_WAIT_SECONDS = 60.0
_CLOSE_SECONDS = 10.0

logger = structlog.get_logger(__name__)


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
        """Create the topic unless it exists, and read it to its end; raises OperationalError."""
        self.topic = topic
        self._settings = settings
        self._temporary = None if folder is not None else tempfile.mkdtemp(prefix="codepark-replica-")
        folder = folder or Path(self._temporary or "")
        self._id_type: Literal["uuid", "text"] = originator_id_type
        self._snapshots_file = folder / f"{topic}-{partition}-snapshots.sqlite"
        self._replica = Replica(
            folder / f"{topic}-{partition}.sqlite",
            partition,
            plain=True,
            while_reset=self._while_replica_is_reset,
        )
        self._thread = LoopThread(f"kafka-{topic}")
        self._queue: WorkQueue[Insert] = WorkQueue(
            group=_GROUP_EVENTS, size=lambda insert: insert.size, group_size=_GROUP_BYTES
        )
        self._worker = LoopWorker(self._thread.loop, self._queue, self._commit)
        self._listeners: list[Callable[[], None]] = []
        self._partition = self._partition_of(partition)
        self._open_datastores()
        try:
            self._thread.run(self._start(), _WAIT_SECONDS)
        except (BrokerUnavailableError, LogUnavailableError, LogCorruptError, TimeoutError) as error:
            self.close()
            raise OperationalError(f"the log on Kafka cannot be used: {error}") from error

    def insert(self, events: Sequence[StoredEvent], tracking: Tracking | None = None) -> Sequence[int]:
        """Store *events* and *tracking* together, and return the events' notification ids; from any thread.

        Raises IntegrityError where a version exists or the tracking record is not a later one,
        OperationalError where Kafka does not answer.
        """
        insert = Insert(
            events=events,
            streams=[stream_of(event) for event in events],
            tracking=tracking,
            command=str(uuid7()),
            future=Future(),
        )
        try:
            self._queue.put(insert)
        except BusyError as error:
            raise OperationalError("the recorder is closed") from error
        try:
            return insert.future.result(_WAIT_SECONDS)
        except TimeoutError as error:
            insert.future.cancel()
            raise OperationalError("no acknowledgement in time: the outcome is unknown") from error

    def tracked(self, name: str) -> int | None:
        """Return the highest tracked notification id of the application called *name*."""
        return self._thread.run(self._tracked(name), _WAIT_SECONDS)

    @property
    def reading(self) -> SQLiteApplicationRecorder:
        """Return the recorder that reads stored events and notifications from the replica."""
        return self._reading

    def snapshots(self) -> SQLiteAggregateRecorder:
        """Return a recorder of snapshots: a cache in a file of its own, whose writers wait for no broker."""
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
        """Release everything; what is acknowledged is in Kafka."""
        if self._queue.closed:
            return
        self._queue.close()
        try:
            self._thread.run(self._partition.close(), _CLOSE_SECONDS)
        finally:
            self._thread.close()
            while waiting := self._queue.take():
                _fail(waiting, OperationalError("the recorder is closed"))
            self._close_datastores()
            self._replica.close()
            if self._temporary is not None:
                rmtree(self._temporary, ignore_errors=True)

    def _partition_of(self, number: int) -> Partition:
        from commands.kafka.protocol.aiokafka_transport import KafkaTransport  # noqa: PLC0415 # needs the extra `cluster`

        return Partition(
            number,
            KafkaTransport(self._settings, self.topic, number),
            self._replica,
            counted=self._announce,
            prefetcher=PrefetchPool(self._settings, self.topic, number),
        )

    def _open_datastores(self) -> None:
        self._datastore = SQLiteDatastore(str(self._replica.path), originator_id_type=self._id_type)
        self._snapshots = SQLiteDatastore(str(self._snapshots_file), originator_id_type=self._id_type)
        self._reading = SQLiteApplicationRecorder(self._datastore, events_table_name=TABLE)

    def _close_datastores(self) -> None:
        self._datastore.close()
        self._snapshots.close()

    @contextmanager
    def _while_replica_is_reset(self) -> Iterator[None]:
        """Close the readers of the replica before, drop the snapshots, and open everything again after."""
        self._close_datastores()
        self._snapshots_file.unlink(missing_ok=True)
        yield
        self._open_datastores()

    async def _start(self) -> None:
        from commands.kafka.protocol.topics import LOG_CONFIG, Topics  # noqa: PLC0415 # needs the extra `cluster`

        async with Topics(self._settings) as topics:
            await topics.ensure(self.topic, self._settings.partitions, LOG_CONFIG)
        await self._partition.start(lambda: (str(uuid7()), self._settings.partitions))
        self._partition.follow(lambda: (str(uuid7()), self._settings.partitions))

    def _announce(self, records: Sequence[Record], own: bool) -> None:  # noqa: ARG002 # a partition calls it so
        for listener in self._listeners:
            listener()

    async def _tracked(self, name: str) -> int | None:
        await self._partition.settled()  # the replica shows its writer also what is staged and may not count
        return self._replica.tracked(name)

    async def _commit(self, group: Sequence[Insert]) -> None:
        """Commit *group*, all together in one RecordBatch, and answer each insert."""
        try:
            await self._append(group)
        except (LogUnavailableError, LogCorruptError, sqlite3.Error) as error:
            _fail(group, OperationalError(str(error)))
        except TooLargeForBatchError as error:
            _fail(group, OperationalError(f"too large for one batch of the log: {error}"))
        except Exception as error:  # a fault of ours must not end the writer for everybody
            logger.exception("insert failed")
            _fail(group, OperationalError(f"{type(error).__name__}: {error}"))
        finally:
            self._queue.release(group)

    async def _append(self, group: Sequence[Insert]) -> None:
        for attempt in range(_TRIES):
            checkpoint = self._partition.checkpoint
            due = self._due(group, retried=attempt > 0)
            if not due:
                return

            def build(expected: LogCheckpoint, due: Sequence[Insert] = due) -> ChainedBatch:
                return chain_messages(expected, messages_of(expected, due))

            try:
                await self._partition.append(checkpoint, build)
            except TipMovedError:
                continue
            sequence = checkpoint.tip.sequence
            for insert in due:
                insert.resolve(range(sequence + 1, sequence + 1 + insert.count))
                sequence += insert.count
            return
        raise LogUnavailableError(f"another writer was faster {_TRIES} times")

    def _due(self, group: Sequence[Insert], *, retried: bool) -> list[Insert]:
        """Return what is still to be appended; answer what counts already, and what must not be stored."""
        waiting = [insert for insert in group if not insert.answered]
        if retried:
            for insert in waiting:
                known = self._replica.sequences_of(insert.command)
                if known:
                    insert.resolve(known)
            waiting = [insert for insert in waiting if not insert.answered]
        check = UniquenessCheck(self._replica, waiting)
        return [insert for insert in waiting if check.allows(insert)]


def _fail(group: Iterable[Insert], error: Exception) -> None:
    for insert in group:
        insert.fail(error)
