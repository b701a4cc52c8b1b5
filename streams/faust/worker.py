"""A worker: a member of a consumer group that keeps some models up to date until it is stopped."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, cast

import faust
import structlog
from faust.types import TP
from prometheus_client import start_http_server
from prometheus_client.registry import Collector

from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.topics import ensure_log
from commands.kafka.protocol.transport import BrokerUnavailableError
from commands.kafka.settings import KafkaSettings
from commands.mapper import EventMapper, RecordEvents
from processes.loops import new_event_loop
from projections.model import ReadModel
from projections.store import DocumentStore, StoreUnavailableError
from streams.faust.app import Inbox, make_app
from streams.faust.assignment import Assignment
from streams.faust.dead_letter_retry import DeadLetterRetry
from streams.faust.driver import PartitionDriver
from streams.faust.effects import StepEffects
from streams.faust.metrics import WorkerMetrics
from streams.faust.partition_state import PartitionProjector
from streams.faust.producer import Producer
from streams.faust.reader import PartitionReader
from streams.faust.requests import RetryRequests

_FETCHES = 4
_PAUSE_SECONDS = 1.0
_LAG_SECONDS = 5.0
"""How often a worker asks for the end of each partition; Prometheus reads the lag every 15 seconds or so."""

_STOP_SECONDS = 10.0

logger = structlog.get_logger(__name__)


class Worker:
    """A member of a consumer group that keeps some models; after a failure it starts Faust again."""

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        store: DocumentStore,
        mapper: EventMapper,
        models: Callable[[int], Sequence[ReadModel]],
        effects: Callable[[Producer], StepEffects],
        requests: Callable[[int], RetryRequests] | None = None,
    ) -> None:
        """Keep the *models* of a partition in *store*, as a member of *group*; take its *requests*."""
        self.metrics = WorkerMetrics(group)
        self._settings = settings
        self._group = group
        self._store = store
        self._events = RecordEvents(mapper)
        self._models = models
        self._requests = requests
        self._producer = Producer(settings)
        self._effects = effects(self._producer)
        self._executor = ThreadPoolExecutor(1, "projector")
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        """Work until `stop`; raises errors that no retry can mend: LogCorruptError, NewerModelError, bugs."""
        try:
            await self._prepare()
            while not self._stop.is_set():
                await self._run_app(ready)
                ready = None
        finally:
            await self._producer.close()
            self._executor.shutdown(wait=True)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End after the present batch."""
        self._stop.set()

    async def _prepare(self) -> None:
        """Prepare the store for the models, and the log's topic; try until both answer."""
        loop, logged = asyncio.get_running_loop(), False
        while not self._stop.is_set():
            try:
                await loop.run_in_executor(self._executor, self._store.prepare, self._models(0))
                await ensure_log(self._settings)
            except (StoreUnavailableError, BrokerUnavailableError) as error:
                if not logged:
                    logger.warning("worker waits", group=self._group, reason=str(error))
                logged = True
                await self._pause()
            else:
                return

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), _PAUSE_SECONDS)

    async def _run_app(self, ready: Callable[[], None] | None) -> None:
        assignment = Assignment(self._open, self._failed)
        app = self._app(assignment)
        ended = [asyncio.create_task(_crashed(app)), asyncio.create_task(self._stop.wait())]
        work = asyncio.create_task(self._work(app, assignment, ready))
        try:
            await asyncio.wait((work, *ended), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        except Exception as error:  # noqa: BLE001 # an error of Faust or of Kafka: start another application
            reason = f"{type(error).__name__}: {error}"
            logger.warning("worker begins again", group=self._group, reason=reason)
        finally:
            for task in (work, *ended):
                task.cancel()
            await assignment.close()
            with suppress(Exception):
                async with asyncio.timeout(_STOP_SECONDS):
                    await app.stop()
        if not self._stop.is_set():
            await self._pause()

    def _app(self, assignment: Assignment) -> faust.App:
        inbox: Inbox = asyncio.Queue(_FETCHES)
        app = make_app(self._settings, self._group, assignment.starts, inbox)
        topic = app.topic(self._settings.topic, key_serializer="raw", value_serializer="raw")

        async def follow(_: Any) -> None:
            await assignment.feed(inbox)

        async def revoked(_: Any, partitions: set[TP], **__: Any) -> None:
            await assignment.revoke(partitions)

        async def assigned(_: Any, partitions: set[TP], **__: Any) -> None:
            await assignment.keep_only(partitions)

        app.agent(topic, name=self._group)(follow)
        app.on_partitions_revoked.connect(cast("Any", revoked), weak=False)
        app.on_partitions_assigned.connect(cast("Any", assigned), weak=False)
        return app

    async def _work(self, app: faust.App, assignment: Assignment, ready: Callable[[], None] | None) -> None:
        await app.start()
        if ready is not None:
            ready()
        await self._measure_lag(app, assignment)

    def _open(self, partition: int) -> PartitionDriver:
        projector = PartitionProjector(partition, self._models(partition), self._store, self._events)
        retry = None
        if self._requests is not None:
            retry = DeadLetterRetry(projector, self._reader(partition), self._requests(partition))
        return PartitionDriver(
            projector, self._reader(partition), self._effects, self.metrics, self._executor, retry
        )

    def _reader(self, partition: int) -> PartitionReader:
        return PartitionReader(partition, KafkaTransport(self._settings, self._settings.topic, partition))

    def _failed(self, error: BaseException) -> None:
        logger.error("worker stops", group=self._group, reason=f"{type(error).__name__}: {error}")
        self._failure = self._failure or error
        self._stop.set()

    async def _measure_lag(self, app: Any, assignment: Assignment) -> None:
        """Measure how far the worker is behind, and commit its offsets, which only operators read."""
        committed: dict[int, int] = {}
        while True:
            await asyncio.sleep(_LAG_SECONDS)
            for partition, driver in list(assignment.drivers.items()):
                with suppress(Exception):
                    end = await driver.reader.end()
                    lag = max(end - driver.projector.log_checkpoint.next_offset, 0)
                    self.metrics.set_lag(partition, lag)
            offsets = assignment.offsets()
            if offsets != committed:
                committed = offsets
                await app.consumer.commit_for_operators(
                    {TP(self._settings.topic, number): offset for number, offset in offsets.items()}
                )


async def _crashed(app: Any) -> None:
    await app._crashed.wait()  # noqa: SLF001 # a service of mode has no public way to wait for it
    logger.warning("application crashed", reason=str(app.crash_reason))


def serve(
    worker_of: Callable[[], Worker],
    ready: Callable[[], None] | None,
    metrics_port: int | None,
    collectors: Sequence[Collector] = (),
) -> None:
    """Run a worker until SIGTERM or SIGINT; raises the error that stops it."""

    async def main() -> None:
        worker = worker_of()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        for collector in collectors:
            worker.metrics.registry.register(collector)
        if metrics_port is not None:
            start_http_server(metrics_port, addr="127.0.0.1", registry=worker.metrics.registry)
        await worker.run(ready)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
