"""The transport over aiokafka: one idempotent producer with one batch in flight, consumers without a group."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OffsetOutOfRangeError

from commands.kafka.protocol.message import Message
from commands.kafka.protocol.topics import MESSAGE_BYTES
from commands.kafka.protocol.transport import (
    BrokerAwayError,
    Outgoing,
    TooLargeForBatchError,
    TruncatedError,
    nothing,
)
from commands.kafka.settings import KafkaSettings

_DEADLINE_SECONDS = 5.0
_REQUEST_MS = 4_000
_POLL_MS = 500
_FETCH_BYTES = 16 * 1024 * 1024
_ABORT_SECONDS = 1.0
_MOST_RECORDS = 2_000
_TURNS = 4
"""So many turns of the loop aiokafka's sender takes from a batch to the socket."""

# It reports every try of a reconnection as an error; who waits for the broker says so once.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class KafkaTransport:
    """One partition of the topic, through clients that are made when they are needed."""

    def __init__(
        self, settings: KafkaSettings, topic: str, partition: int, *, fetch_bytes: int = _FETCH_BYTES
    ) -> None:
        """Speak to the broker of *settings* about *partition* of *topic*; fetch about *fetch_bytes* at a time."""
        self._settings = settings
        self._place = TopicPartition(topic, partition)
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._asker: AIOKafkaConsumer | None = None
        self._reading = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._position = -1
        self._fetch_bytes = fetch_bytes

    async def send(self, batch: Sequence[Outgoing], meanwhile: Callable[[], None] = nothing) -> int:
        """Append *batch* in one RecordBatch with `acks=all`."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                producer = await self._started_producer()
                builder = producer.create_batch()
                for message in batch:
                    if (
                        builder.append(
                            timestamp=None, key=message.key, value=message.value, headers=message.headers
                        )
                        is None
                    ):
                        raise TooLargeForBatchError(
                            f"{len(batch)} records are more than {MESSAGE_BYTES} bytes"
                        )
                builder.close()
                sent = await producer.send_batch(builder, self._place.topic, partition=self._place.partition)
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                meanwhile()
                found = await sent
        except MessageSizeTooLargeError as error:
            raise TooLargeForBatchError(str(error)) from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise BrokerAwayError(f"no acknowledgement: {_named(error)}") from error
        return int(found.offset)

    async def renew(self) -> None:
        """Abort the producer: nothing is flushed, for what is in flight has no known outcome."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _abort(producer)

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        """Return messages from *offset* on."""
        async with self._reading:
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    return await self._fetch(offset, _POLL_MS if wait else 0)
            except OffsetOutOfRangeError as error:
                raise TruncatedError(f"the partition has no offset {offset}: {error}") from error
            except (KafkaError, TimeoutError, OSError) as error:
                await self._drop_consumer()
                raise BrokerAwayError(f"nothing to read: {_named(error)}") from error

    async def _fetch(self, offset: int, wait_ms: int) -> tuple[list[Message], int]:
        consumer = await self._started_consumer()
        if self._position != offset:
            consumer.seek(self._place, offset)
            self._position = offset
        found = await consumer.getmany(timeout_ms=wait_ms, max_records=_MOST_RECORDS)
        messages = [
            Message(item.offset, item.key, item.value, item.headers) for item in found.get(self._place, ())
        ]
        self._position = int(await consumer.position(self._place))
        return messages, self._position

    async def end(self) -> int:
        """Ask with ListOffsets, over a connection of its own: a broker answers one request of a connection at a time.

        Behind a fetch that waits for messages the answer would take as long as that.
        """
        async with self._asking:
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    asker = await self._started_asker()
                    found = await asker.end_offsets([self._place])
            except (KafkaError, TimeoutError, OSError) as error:
                await self._drop_asker()
                raise BrokerAwayError(f"the end is not known: {_named(error)}") from error
            return int(found[self._place])

    async def close(self) -> None:
        """Close all clients; nothing is in flight."""
        await self.renew()
        await self._drop_consumer()
        await self._drop_asker()

    async def _started_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings.client_options(),
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_batch_size=MESSAGE_BYTES,
                max_request_size=MESSAGE_BYTES,
                request_timeout_ms=_REQUEST_MS,
                retry_backoff_ms=50,
            )
            try:
                await producer.start()
            except BaseException:
                await _abort(producer)
                raise
            self._producer = producer
        return self._producer

    async def _started_consumer(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer, self._position = await self._new_consumer(), -1
        return self._consumer

    async def _started_asker(self) -> AIOKafkaConsumer:
        if self._asker is None:
            asker = await self._new_consumer()
            asker.pause(self._place)
            self._asker = asker
        return self._asker

    async def _new_consumer(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._settings.client_options(),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_uncommitted",
            request_timeout_ms=_REQUEST_MS,
            fetch_max_wait_ms=_POLL_MS,
            max_partition_fetch_bytes=self._fetch_bytes,
            retry_backoff_ms=50,
        )
        try:
            await consumer.start()
        except BaseException:
            await _given_up(consumer.stop())
            raise
        consumer.assign([self._place])
        return consumer

    async def _drop_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _given_up(consumer.stop())

    async def _drop_asker(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            await _given_up(asker.stop())


async def _abort(producer: Any) -> None:
    """End a producer without flushing it: `stop` waits for a batch that may never be acknowledged."""
    producer._closed = True  # noqa: SLF001 # there is no public way to give up
    sender = producer._sender  # noqa: SLF001 # as above
    if sender is not None:
        await _given_up(sender.close())
    await _given_up(producer.client.close())


async def _given_up(closing: Coroutine[Any, Any, None]) -> None:
    """Wait a while for *closing*, whatever it ends with.

    In a task of its own: aiokafka awaits tasks that it has cancelled, which would look as if we were.
    """
    task = asyncio.ensure_future(closing)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    _, waiting = await asyncio.wait({task}, timeout=_ABORT_SECONDS)
    for each in waiting:
        each.cancel()


def _named(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".strip()
