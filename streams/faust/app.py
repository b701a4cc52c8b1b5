"""The Faust application of a worker: Faust keeps the group membership, our checkpoints say where to begin."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import faust
import structlog
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from yarl import URL

from commands.kafka.protocol.topics import MESSAGE_BYTES
from commands.kafka.settings import KafkaSettings

Starts = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]
"""From the partitions that were assigned to a worker to the offsets where it begins."""

Inbox = asyncio.Queue[tuple[int, list[Any]]]
"""Partitions, each with the records of aiokafka that a fetch returned of it."""

_METADATA_SECONDS = 10
"""A worker that joins while a broker starts may see no topic; it gets no partition until it looks again."""

_SESSION_SECONDS, _HEARTBEAT_SECONDS = 6.0, 2.0
_FETCH_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class LogConsumer(driver.Consumer):
    """Faust's consumer, except where it begins and how it hands records over.

    It begins at our checkpoints, not at the offsets of the group. It hands over the records of a fetch as one
    list: Faust's way, with a task for each message, a conductor and a stream, takes half of a core at 5,000 a
    second.
    """

    @property
    def _log_transport(self) -> "LogTransport":
        return cast("LogTransport", self.transport)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the checkpoints of the read models; Faust calls this wherever it begins to read."""
        starts = await self._log_transport.starts(self.assignment())
        await self.seek_wait(starts)
        return starts

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand over what arrives until the consumer or the fetcher stops; in a rebalance, seek back."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                fetched, active = await self._wait_next_records(_FETCH_SECONDS)
                if not self.flow_active:
                    await self._seek_back()
                    continue
                for partition, records in (fetched or {}).items():
                    if active is None or partition in active:
                        await self._log_transport.inbox.put((partition.partition, records))
                await asyncio.sleep(0)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    async def _seek_back(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:  # noqa: BLE001 # the next assignment seeks again
            logger.warning("no seek in a rebalance", reason=str(error))

    async def commit_for_operators(self, offsets: Mapping[TP, int]) -> None:
        """Commit *offsets* so that operators see the group's lag; no worker begins there."""
        if not self.app.rebalancing:
            await self._commit(offsets)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Check nothing: Faust would miss its streams, which this consumer does not use."""


class LogApp(faust.App):
    """A Faust application without a folder: it has no tables, and may start where nothing can be written."""

    def _create_directories(self) -> None:
        """Create none of the folders that Faust makes in the working directory."""


class LogTransport(driver.Transport):
    """Faust's transport with our consumer."""

    Consumer = LogConsumer

    def __init__(self, app: faust.App, starts: Starts, inbox: Inbox) -> None:
        """Call *starts* at each assignment, and put what arrives into *inbox*."""
        super().__init__(app.conf.broker_consumer, app)
        self.starts = starts
        self.inbox = inbox


def make_app(settings: KafkaSettings, group: str, starts: Starts, inbox: Inbox) -> faust.App:
    """Return an application of the consumer group *group* that begins at the offsets of *starts*.

    It puts what arrives into *inbox*; while that is full, it fetches nothing.

    Raises SettingsError if a file that the settings name is missing.
    """
    app = LogApp(
        group,
        broker=[URL(f"aiokafka://{server.strip()}") for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_HEARTBEAT_SECONDS,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=MESSAGE_BYTES,
        consumer_metadata_max_age_ms=_METADATA_SECONDS * 1000,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        loghandlers=[],
    )
    app.transport = LogTransport(app, starts, inbox)
    return app


def _credentials(settings: KafkaSettings) -> Any:
    """Translate the options of aiokafka's clients into Faust's own."""
    options = settings.client_options()
    context = options.get("ssl_context")
    if settings.sasl_mechanism is not None:
        return faust.SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password,
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)
