"""What the protocol needs of a broker, for one partition."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from commands.kafka.protocol.message import Message


class BrokerUnavailableError(Exception):
    """The broker does not answer; whether it stored what was sent is unknown."""


class TruncatedError(Exception):
    """The partition no longer has offsets that it had."""


class OutgoingMessage(NamedTuple):
    """A message to send."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class TooLargeForBatchError(Exception):
    """No RecordBatch can hold the messages; nothing was sent."""


def do_nothing() -> None:
    """Do nothing while a batch is on its way."""


class Transport(Protocol):
    """One partition of a broker. Every method raises BrokerUnavailableError after a time limit of its own."""

    async def send(self, batch: Sequence[OutgoingMessage], meanwhile: Callable[[], None] = do_nothing) -> int:
        """Append *batch* in one RecordBatch, and return the offset of its first message (-1: not given).

        *meanwhile* is called once the batch is on its way, and must not raise: its work takes no extra time
        while the broker does its own. BrokerUnavailableError means that the outcome is unknown: the batch may
        be stored, now or later. Raises TooLargeForBatchError before anything is sent.
        """
        ...

    async def renew(self) -> None:
        """Give up the producer whose outcome is unknown; the next `send` makes a new one."""
        ...

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        """Return messages from *offset* on, and the offset after the last one that was looked at.

        With *wait*, wait a while for the first one. Raises TruncatedError where the partition has no such
        offset.
        """
        ...

    async def end(self) -> int:
        """Return the offset after the last message."""
        ...

    async def close(self) -> None:
        """Release what the transport holds."""
        ...
