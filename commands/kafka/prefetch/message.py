"""What can be told of a message without those before it, so that any process may tell it; `counting` decides."""

from collections.abc import Sequence

from msgspec import Struct

from commands.chain import TRACKING, leaf
from commands.kafka.protocol.message import (
    OPENED,
    TRACKED,
    MalformedError,
    Message,
    lies_at_its_place,
    split_chain,
    to_record,
)
from domain.record import Record

_WITHOUT_RECORD = (OPENED.encode(), TRACKED.encode())


class Examined(Struct, frozen=True):
    """A message that carries a record, whether it counts or not: its *record* names the chain value, *leaf* its half.

    *at_its_place* tells that it lies where its writer expected it.
    """

    offset: int
    leaf: bytes
    record: Record
    at_its_place: bool
    tracking: bytes | None = None


Found = Examined | Message


class Part(Struct, array_like=True, frozen=True):
    """Some messages in the order of their offsets, and the offset *after* the last one looked at."""

    items: Sequence[Found]
    after: int


def examine(message: Message) -> Found:
    """Read the record of *message*; whatever is not plainly one stays as it is."""
    found = split_chain(message)
    if found is None or found.values.get("ce_type") in _WITHOUT_RECORD:
        return message
    try:
        record = to_record(message, found.chain, found.values)
    except MalformedError:
        return message
    return Examined(
        offset=message.offset,
        leaf=leaf(found.covered),
        record=record,
        at_its_place=lies_at_its_place(message, found.values),
        tracking=found.values.get(TRACKING),
    )
