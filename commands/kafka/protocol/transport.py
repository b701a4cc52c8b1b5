"""What the protocol needs of a broker, for one partition."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from commands.kafka.protocol.message import Message


class BrokerAwayError(Exception):
    """The broker does not answer; what was sent may be stored or not."""


class TruncatedError(Exception):
    """The partition no longer has offsets that it had."""


class Outgoing(NamedTuple):
    """A message to send."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class TooLargeForBatchError(Exception):
    """A batch that no RecordBatch can hold; nothing was sent."""


def nothing() -> None:
    """Do nothing while a batch is on its way."""


class Transport(Protocol):
    """One partition of a broker. Every method raises BrokerAwayError within a deadline of its own."""

    async def send(self, batch: Sequence[Outgoing], meanwhile: Callable[[], None] = nothing) -> int:
        """Append *batch* whole, in one RecordBatch, and return the offset of its first message (-1: not told).

        *meanwhile* is called once the batch is on its way, and must not raise: it costs no time of its own while the
        broker works.
        BrokerAwayError means that the outcome is unknown: the batch may be stored, now or later. Raises
        TooLargeForBatchError before anything is sent.
        """
        ...

    async def renew(self) -> None:
        """Give up the producer whose outcome is unknown; the next `send` makes a new one."""
        ...

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        """Return messages from *offset* on, and the offset after the last one looked at.

        With *wait*, wait a while for the first one. Raises TruncatedError where the partition has no such offset.
        """
        ...

    async def end(self) -> int:
        """Return the offset behind the last message."""
        ...

    async def close(self) -> None:
        """Release what the transport holds."""
        ...
