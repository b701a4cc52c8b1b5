"""From numbered records to messages that are chained behind a place."""

from collections.abc import Sequence

from msgspec.structs import force_setattr

from commands.kafka.counting import Counted, Place
from commands.kafka.message import CHAIN, TRACKED, TRACKING, chain_of, leaf, to_parts
from commands.kafka.transport import Outgoing


def seal(place: Place, items: Sequence[Counted]) -> tuple[list[Outgoing], Sequence[Counted]]:
    """Chain *items*, which nobody has seen yet, behind *place*, in place; return them as messages too.

    An item without a record keeps its tracking record alone: it extends the chain and takes no sequence.
    """
    chain = place.tip.chain
    messages: list[Outgoing] = []
    for index, item in enumerate(items):
        if item.record is not None:
            key, value, headers = to_parts(item.record, item.tracking)
        else:
            key, value, headers = b"", b"", _tracking_headers(place.next_offset + index, item.tracking or b"")
        chain = chain_of(chain, leaf(key, value, headers))
        headers.append((CHAIN, chain))
        if item.record is not None:
            force_setattr(item.record, "chain", chain)
        messages.append(Outgoing(key, value, headers))
    return messages, items


def _tracking_headers(at: int, tracking: bytes) -> list[tuple[str, bytes]]:
    return [("at", b"%d" % at), ("ce_type", TRACKED.encode()), (TRACKING, tracking)]
