"""Ask whether Kafka answers, over a connection that is kept."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from commands.kafka.loop_thread import LoopThread
from commands.kafka.protocol.transport import BrokerUnavailableError
from commands.kafka.settings import KafkaSettings

_SECONDS = 3.0
_CLOSE_SECONDS = 1.0


class KafkaProbe:
    """A client that asks the brokers who they are; it needs no topic, and makes none."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Ask the brokers of *settings*; nothing is connected yet."""
        self._settings = settings
        self._thread: LoopThread | None = None
        self._client: AIOKafkaAdminClient | None = None

    def ask(self) -> int:
        """Return how many brokers there are; raises BrokerUnavailableError where none answers in time."""
        if self._thread is None:
            self._thread = LoopThread("kafka-probe")
        return self._thread.run(self._ask(), 2 * (_SECONDS + _CLOSE_SECONDS))

    def close(self) -> None:
        """Disconnect."""
        if self._thread is not None:
            try:
                self._thread.run(self._drop(), 2 * _CLOSE_SECONDS)
            finally:
                self._thread.close()

    async def _ask(self) -> int:
        try:
            async with asyncio.timeout(_SECONDS):
                if self._client is None:
                    client = AIOKafkaAdminClient(
                        **self._settings.client_options(), request_timeout_ms=int(_SECONDS * 1000)
                    )
                    self._client = client
                    await client.start()
                described = await self._client.describe_cluster()
        except (KafkaError, TimeoutError, OSError) as error:
            await self._drop()
            reason = f"{type(error).__name__} {error}".strip()
            raise BrokerUnavailableError(f"Kafka does not answer: {reason}") from error
        return len(described["brokers"])

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            closing = asyncio.ensure_future(client.close())
            closing.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
