"""aiokafka as its documentation shows it: one RecordBatch at a time, transactions, and reading."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Self
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from commands.kafka.protocol.topics import LOG_CONFIG, MESSAGE_BYTES, Topics
from commands.kafka.settings import KafkaSettings

_PARTITION = 0
_FIRST_SECONDS = 30.0
_MOST_RECORDS = 2_000
_FETCH_BYTES = 16 * 1024 * 1024


class RawKafka:
    """A producer, and a topic of one partition with the settings of CodePark's log; nothing is checked."""

    def __init__(self, settings: KafkaSettings, state: bytes, *, transactions: bool = False) -> None:
        self._settings = settings
        self._state = state
        self._transactions = transactions
        self._topic = f"{settings.prefix}raw-{uuid4().hex[:8]}"

    async def __aenter__(self) -> Self:
        async with Topics(self._settings) as topics:
            await topics.ensure(self._topic, 1, LOG_CONFIG)
        more: dict[str, Any] = {"transactional_id": self._topic} if self._transactions else {}
        self._producer = AIOKafkaProducer(
            **self._settings.client_options(),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=MESSAGE_BYTES,
            max_request_size=MESSAGE_BYTES,
            **more,
        )
        await self._producer.start()
        async with asyncio.timeout(_FIRST_SECONDS):
            await self._append()(1)  # a new topic has a leader only after a while
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def latencies(self, size: int, seconds: float) -> list[float]:
        """Append *size* records a call, one call after the other; return the seconds of each call."""
        append, latencies = self._append(), list[float]()
        end = perf_counter() + seconds
        while (began := perf_counter()) < end:
            await append(size)
            latencies.append(perf_counter() - began)
        return latencies

    async def latencies_of_many(self, tasks: int, seconds: float) -> list[float]:
        """Append single records from *tasks* at once; the client batches those that wait."""

        async def work() -> list[float]:
            latencies, end = list[float](), perf_counter() + seconds
            while (began := perf_counter()) < end:
                key, value, headers = self._message(1)
                await self._producer.send_and_wait(self._topic, value, key, _PARTITION, headers=headers)
                latencies.append(perf_counter() - began)
            return latencies

        return [latency for each in await asyncio.gather(*(work() for _ in range(tasks))) for latency in each]

    def _append(self) -> Callable[[int], Awaitable[None]]:
        return self._transaction if self._transactions else self._batch

    async def _transaction(self, size: int) -> None:
        async with self._producer.transaction():
            await self._batch(size)

    async def _batch(self, size: int) -> None:
        builder = self._producer.create_batch()
        for number in range(1, size + 1):
            key, value, headers = self._message(number)
            builder.append(timestamp=None, key=key, value=value, headers=headers)
        builder.close()
        sent = await self._producer.send_batch(builder, self._topic, partition=_PARTITION)
        await sent

    def _message(self, version: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        stream = uuid4().hex.encode()
        return stream, self._state, [("stream", stream), ("version", b"%d" % version), ("type", b"event")]


async def read_alone(settings: KafkaSettings) -> float:
    """Read the first partition of CodePark's log without decoding it; return messages a second."""
    partition = TopicPartition(settings.topic, _PARTITION)
    consumer = AIOKafkaConsumer(
        **settings.client_options(),
        group_id=None,
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        began = perf_counter()
        while await consumer.position(partition) < end:
            await consumer.getmany(timeout_ms=500, max_records=_MOST_RECORDS)
        return float(end / (perf_counter() - began))
    finally:
        await consumer.stop()
