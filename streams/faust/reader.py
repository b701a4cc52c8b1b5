"""Read a partition directly, without a consumer group: for gaps between messages, retries and rebuilds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint
from commands.kafka.protocol.message import Message, split_chain
from commands.kafka.protocol.transport import BrokerUnavailableError, Transport, TruncatedError
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError, LogUnavailableError
from domain.record import Record


class CountedRecords(Struct, frozen=True):
    """Some counted records, and the log checkpoint after the messages that they came in."""

    records: list[Record]
    log_checkpoint: LogCheckpoint


class PartitionReader:
    """Reads one partition of the log from any offset."""

    def __init__(self, partition: int, transport: Transport) -> None:
        """Read *partition* through *transport*."""
        self.partition = partition
        self._transport = transport
        self.closed = False

    async def end(self) -> int:
        """Return the offset after the last message; raises LogUnavailableError."""
        self._require_open()
        try:
            return await self._transport.end()
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error

    async def messages(self, offset: int) -> tuple[list[Message], int]:
        """Return the next messages from *offset* on, and the offset after everything that was looked at.

        Raises LogUnavailableError, and LogCorruptError if the log no longer has that offset.
        """
        self._require_open()
        try:
            return await self._transport.fetch(offset, wait=True)
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error
        except TruncatedError as error:
            raise LogCorruptError(f"partition {self.partition}: {error}") from error

    async def read(self, after: LogCheckpoint) -> CountedRecords:
        """Return the counted records among the next messages; raises as `messages` does."""
        rule = ChainRule(self.partition, after)
        messages, next_offset = await self.messages(after.next_offset)
        records = []
        for message in messages:
            verdict = rule.judge(message)
            if isinstance(verdict, CountedMessage) and verdict.record is not None:
                records.append(verdict.record)
        return CountedRecords(records, rule.checkpoint.moved_to(next_offset))

    async def check(self, log_checkpoint: LogCheckpoint) -> None:
        """Compare the message that *log_checkpoint* names as the last counted one with the log.

        Raises LogCorruptError if the log is another one: shorter, or with another message there.
        """
        counted_at = log_checkpoint.counted_at
        if counted_at < 0:
            return
        end = await self.end()
        if end >= log_checkpoint.next_offset:
            messages, _ = await self.messages(counted_at)
            last = split_chain(messages[0]) if messages and messages[0].offset == counted_at else None
            if last is not None and last.chain == log_checkpoint.tip.chain:
                return
        raise LogCorruptError(
            f"partition {self.partition} is another log: the checkpoint knows sequence "
            f"{log_checkpoint.tip.sequence} at offset {counted_at}, "
            f"and the log (end {end}) does not have it there"
        )

    async def close(self) -> None:
        """Release the clients."""
        self.closed = True
        await self._transport.close()

    def _require_open(self) -> None:
        if self.closed:  # the transport would connect again, and nothing would close it
            raise LogUnavailableError("the reader is closed")


@asynccontextmanager
async def partition_reader(settings: KafkaSettings, partition: int) -> AsyncIterator[PartitionReader]:
    """Open a reader for as long as it is needed."""
    reader = PartitionReader(partition, KafkaTransport(settings, settings.topic, partition))
    try:
        yield reader
    finally:
        await reader.close()
