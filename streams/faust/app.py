"""The Faust application of a worker: group membership by Faust, places by our own checkpoints."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from yarl import URL

from commands.kafka.settings import KafkaSettings
from commands.kafka.topics import MESSAGE_BYTES

Starts = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]
"""From the partitions that a worker was given to the offsets where it begins."""

_SESSION_SECONDS, _HEARTBEAT_SECONDS = 6.0, 2.0
_BUFFERED = 4_096


class LogConsumer(driver.Consumer):
    """Faust's consumer, but for where it begins: at our checkpoints, not at the offsets of the group."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to where the checkpoints of the read models are; both of Faust's ways to begin come here."""
        starts = await self.transport.starts(self.assignment())
        await self.seek_wait(starts)
        return starts


class LogTransport(driver.Transport):
    """Faust's transport with our consumer."""

    Consumer = LogConsumer

    def __init__(self, app: faust.App, starts: Starts) -> None:
        """Ask *starts* at each assignment."""
        super().__init__(app.conf.broker_consumer, app)
        self.starts = starts


def make_app(settings: KafkaSettings, group: str, starts: Starts) -> faust.App:
    """Return an application of the consumer group *group* that begins where *starts* says.

    Raises KafkaSettingsError where a file of the settings is missing.
    """
    app = faust.App(
        group,
        broker=[URL(f"aiokafka://{server.strip()}") for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_HEARTBEAT_SECONDS,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=MESSAGE_BYTES,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=_BUFFERED,
        loghandlers=[],
    )
    app.transport = LogTransport(app, starts)
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
