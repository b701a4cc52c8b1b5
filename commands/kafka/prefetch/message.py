"""What can be found out about a message without those before it, in any process; `chain_rule` decides."""

from collections.abc import Sequence

from msgspec import Struct

from commands.chain import leaf
from commands.kafka.protocol.message import (
    OPENED,
    TRACKED,
    MalformedError,
    Message,
    is_at_expected_offset,
    split_chain,
    to_record,
)
from commands.record_headers import TRACKING
from domain.record import Record

_WITHOUT_RECORD = (OPENED.encode(), TRACKED.encode())


class PrefetchedRecord(Struct, frozen=True):
    """A message that carries a record, whether it counts or not.

    *record* has the chain value that the message names, *leaf* is the half of it that needs no predecessor.
    *at_expected_offset* says that the message lies where its writer expected it.
    """

    offset: int
    leaf: bytes
    record: Record
    at_expected_offset: bool
    tracking: bytes | None = None


IncomingMessage = PrefetchedRecord | Message
"""A message as the chain rule takes it: prefetched, or as it lies in the partition."""


class PrefetchedBatch(Struct, array_like=True, frozen=True):
    """Some messages in the order of their offsets, and the offset *after* the last one that was looked at."""

    messages: Sequence[IncomingMessage]
    after: int


def prefetch_message(message: Message) -> IncomingMessage:
    """Read the record of *message*; a message that is not plainly a record is returned as it is."""
    parts = split_chain(message)
    if parts is None or parts.values.get("ce_type") in _WITHOUT_RECORD:
        return message
    try:
        record = to_record(message, parts.chain, parts.values)
    except MalformedError:
        return message
    return PrefetchedRecord(
        offset=message.offset,
        leaf=leaf(parts.covered),
        record=record,
        at_expected_offset=is_at_expected_offset(message, parts.values),
        tracking=parts.values.get(TRACKING),
    )
