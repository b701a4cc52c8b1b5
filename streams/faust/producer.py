"""One idempotent producer for what a worker sends: all replicas acknowledge it before anything is stored."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError

_REQUEST_MS = 5_000
_LARGEST = 17 * 1024 * 1024


class TopicMessage(NamedTuple):
    """A message for a topic; without a timestamp it gets the present time."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp_ms: int | None = None


class Sender(Protocol):
    """Sends messages."""

    async def send(self, messages: Iterable[TopicMessage]) -> None:
        """Send all, in order for each key, and wait for the acknowledgements; raises LogUnavailableError."""
        ...


class Producer:
    """The aiokafka producer, created when it is first needed, and again after an error."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Send to the Kafka of *settings*."""
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def send(self, messages: Iterable[TopicMessage]) -> None:
        """Send all and wait for the acknowledgements; after an error, some of them may have been sent."""
        try:
            producer = await self._started()
            sent = [
                await producer.send(
                    message.topic,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    timestamp_ms=message.timestamp_ms,
                )
                for message in messages
            ]
            for future in sent:
                await future
        except (KafkaError, OSError) as error:
            await self.close()
            raise LogUnavailableError(f"nothing can be sent: {type(error).__name__} {error}") from error

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings.client_options(),
                enable_idempotence=True,
                acks="all",
                linger_ms=2,
                max_request_size=_LARGEST,
                request_timeout_ms=_REQUEST_MS,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Close the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()
