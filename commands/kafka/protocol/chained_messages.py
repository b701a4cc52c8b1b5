"""From numbered records to messages that are chained behind a place."""

from collections.abc import Sequence

from msgspec.structs import force_setattr

from commands.chain import TRACKING, laid, link
from commands.kafka.protocol.chain_rule import Counted, Place
from commands.kafka.protocol.message import CHAIN, TRACKED, covered
from commands.kafka.protocol.transport import Outgoing


def seal(place: Place, items: Sequence[Counted]) -> tuple[list[Outgoing], Sequence[Counted]]:
    """Chain *items*, which nobody has seen yet, behind *place*, in place; return them as messages too.

    An item without a record keeps its tracking record alone: it extends the chain and takes no sequence.
    """
    chain = place.tip.chain
    messages: list[Outgoing] = []
    for index, item in enumerate(items):
        record = item.record
        if record is not None:
            key, value = record.home.encode(), record.data
            body, headers = laid(record, item.tracking)
            chain = link(chain, body)
            force_setattr(record, "chain", chain)
        else:
            key, value = b"", b""
            headers = _tracking_headers(place.next_offset + index, item.tracking or b"")
            chain = link(chain, covered(key, value, headers))
        headers.append((CHAIN, chain))
        messages.append(Outgoing(key, value, headers))
    return messages, items


def _tracking_headers(at: int, tracking: bytes) -> list[tuple[str, bytes]]:
    return [("at", b"%d" % at), ("ce_type", TRACKED.encode()), (TRACKING, tracking)]
