"""Read a partition directly, without a group: for what a stream of messages left out, and for rebuilds."""

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


class Read(Struct, frozen=True):
    """Some counted records, and the place behind the messages that they came in."""

    records: list[Record]
    place: LogCheckpoint
    void: int


class PartitionReader:
    """Reads one partition of the log from any offset."""

    def __init__(self, partition: int, transport: Transport) -> None:
        """Read *partition* through *transport*."""
        self.partition = partition
        self._transport = transport
        self.closed = False

    async def end(self) -> int:
        """Return the offset behind the last message; raises LogUnavailableError."""
        self._require_open()
        try:
            return await self._transport.end()
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error

    async def messages(self, offset: int) -> tuple[list[Message], int]:
        """Return the next messages from *offset* on and the offset behind what was looked at.

        Raises LogUnavailableError, and LogCorruptError where the log no longer has that offset.
        """
        self._require_open()
        try:
            return await self._transport.fetch(offset, wait=True)
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error
        except TruncatedError as error:
            raise LogCorruptError(f"partition {self.partition}: {error}") from error

    async def read(self, place: LogCheckpoint) -> Read:
        """Return what counts among the next messages behind *place*; raises as `messages` does."""
        rule = ChainRule(self.partition, place)
        messages, after = await self.messages(place.next_offset)
        verdicts = [rule.judge(message) for message in messages]
        return Read(
            [v.record for v in verdicts if isinstance(v, CountedMessage) and v.record is not None],
            rule.checkpoint.moved_to(after),
            sum(not isinstance(verdict, CountedMessage) for verdict in verdicts),
        )

    async def check(self, place: LogCheckpoint) -> None:
        """Compare the message that *place* names as the last counted one with the log.

        Raises LogCorruptError where the log is another one: shorter, or with another message there.
        """
        if place.counted_at < 0:
            return
        end = await self.end()
        if end >= place.next_offset:
            messages, _ = await self.messages(place.counted_at)
            found = split_chain(messages[0]) if messages and messages[0].offset == place.counted_at else None
            if found is not None and found.chain == place.tip.chain:
                return
        raise LogCorruptError(
            f"partition {self.partition} is another log: the checkpoint knows sequence {place.tip.sequence} "
            f"at offset {place.counted_at}, and the log (end {end}) does not have it there"
        )

    async def close(self) -> None:
        """Release the clients."""
        self.closed = True
        await self._transport.close()

    def _require_open(self) -> None:
        if self.closed:  # the transport would connect again, and nobody would close it
            raise LogUnavailableError("the reader is closed")


@asynccontextmanager
async def partition_reader(settings: KafkaSettings, partition: int) -> AsyncIterator[PartitionReader]:
    """Open a reader for as long as it is needed."""
    reader = PartitionReader(partition, KafkaTransport(settings, settings.topic, partition))
    try:
        yield reader
    finally:
        await reader.close()
