"""The transport over aiokafka: an idempotent producer with one batch in flight, consumers without a group."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OffsetOutOfRangeError

from commands.kafka.protocol.message import Message
from commands.kafka.protocol.topics import MESSAGE_BYTES
from commands.kafka.protocol.transport import (
    BrokerUnavailableError,
    OutgoingMessage,
    TooLargeForBatchError,
    TruncatedError,
    do_nothing,
)
from commands.kafka.settings import KafkaSettings

_DEADLINE_SECONDS = 5.0
_REQUEST_MS = 4_000
_POLL_MS = 500
_FETCH_BYTES = 16 * 1024 * 1024
_ABORT_SECONDS = 1.0
_MOST_RECORDS = 2_000
_TURNS = 4
"""How many turns of the loop aiokafka's sender needs to write a batch to the socket."""

# aiokafka reports every attempt to reconnect as an error; the code that waits for the broker reports it once.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class KafkaTransport:
    """One partition of the topic, through clients that are made when they are first needed."""

    def __init__(
        self, settings: KafkaSettings, topic: str, partition: int, *, fetch_bytes: int = _FETCH_BYTES
    ) -> None:
        """Use the broker of *settings* for *partition* of *topic*; fetch about *fetch_bytes* at a time."""
        self._settings = settings
        self._topic_partition = TopicPartition(topic, partition)
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._end_consumer: AIOKafkaConsumer | None = None
        self._read_lock = asyncio.Lock()
        self._end_lock = asyncio.Lock()
        self._position = -1
        self._fetch_bytes = fetch_bytes

    async def send(self, batch: Sequence[OutgoingMessage], meanwhile: Callable[[], None] = do_nothing) -> int:
        """Append *batch* in one RecordBatch with `acks=all`."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                producer = await self._started_producer()
                builder = _filled(producer.create_batch(), batch)
                topic, partition = self._topic_partition
                acknowledged = await producer.send_batch(builder, topic, partition=partition)
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                meanwhile()
                metadata = await acknowledged
        except MessageSizeTooLargeError as error:
            raise TooLargeForBatchError(str(error)) from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise BrokerUnavailableError(f"no acknowledgement: {_text_of(error)}") from error
        return int(metadata.offset)

    async def renew(self) -> None:
        """Abort the producer without flushing it: what is in flight has no known outcome."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _abort(producer)

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        """Return messages from *offset* on."""
        async with self._read_lock:
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    return await self._fetch(offset, _POLL_MS if wait else 0)
            except OffsetOutOfRangeError as error:
                raise TruncatedError(f"the partition has no offset {offset}: {error}") from error
            except (KafkaError, TimeoutError, OSError) as error:
                await self._drop_consumer()
                raise BrokerUnavailableError(f"nothing to read: {_text_of(error)}") from error

    async def _fetch(self, offset: int, wait_ms: int) -> tuple[list[Message], int]:
        consumer = await self._started_consumer()
        if self._position != offset:
            consumer.seek(self._topic_partition, offset)
            self._position = offset
        records = await consumer.getmany(timeout_ms=wait_ms, max_records=_MOST_RECORDS)
        messages = [
            Message(record.offset, record.key, record.value, record.headers)
            for record in records.get(self._topic_partition, ())
        ]
        self._position = int(await consumer.position(self._topic_partition))
        return messages, self._position

    async def end(self) -> int:
        """Ask with ListOffsets, over a connection of its own.

        A broker answers one request of a connection at a time: after a fetch that waits for messages, the
        answer would have to wait as long.
        """
        async with self._end_lock:
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    consumer = await self._started_end_consumer()
                    ends = await consumer.end_offsets([self._topic_partition])
            except (KafkaError, TimeoutError, OSError) as error:
                await self._drop_end_consumer()
                raise BrokerUnavailableError(
                    f"the end of the partition is unknown: {_text_of(error)}"
                ) from error
            return int(ends[self._topic_partition])

    async def close(self) -> None:
        """Close all clients; call it when nothing is in flight."""
        await self.renew()
        await self._drop_consumer()
        await self._drop_end_consumer()

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

    async def _started_end_consumer(self) -> AIOKafkaConsumer:
        if self._end_consumer is None:
            consumer = await self._new_consumer()
            consumer.pause(self._topic_partition)
            self._end_consumer = consumer
        return self._end_consumer

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
            await _stop_within_limit(consumer.stop())
            raise
        consumer.assign([self._topic_partition])
        return consumer

    async def _drop_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _stop_within_limit(consumer.stop())

    async def _drop_end_consumer(self) -> None:
        consumer, self._end_consumer = self._end_consumer, None
        if consumer is not None:
            await _stop_within_limit(consumer.stop())


def _filled(builder: Any, batch: Sequence[OutgoingMessage]) -> Any:
    for message in batch:
        metadata = builder.append(
            timestamp=None, key=message.key, value=message.value, headers=message.headers
        )
        if metadata is None:
            raise TooLargeForBatchError(f"{len(batch)} records are more than {MESSAGE_BYTES} bytes")
    builder.close()
    return builder


async def _abort(producer: Any) -> None:
    """End a producer without flushing it: `stop` would wait for a batch that may never be acknowledged."""
    producer._closed = True  # noqa: SLF001 # there is no public way to abort
    sender = producer._sender  # noqa: SLF001 # as above
    if sender is not None:
        await _stop_within_limit(sender.close())
    await _stop_within_limit(producer.client.close())


async def _stop_within_limit(stop: Coroutine[Any, Any, None]) -> None:
    """Await *stop* for a limited time, and ignore how it ends.

    It runs in a task of its own: aiokafka awaits tasks that it has cancelled, which would look as if we were.
    """
    task = asyncio.ensure_future(stop)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    _, unfinished = await asyncio.wait({task}, timeout=_ABORT_SECONDS)
    for each in unfinished:
        each.cancel()


def _text_of(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".strip()
