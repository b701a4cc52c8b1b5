"""From numbered records to messages that are chained after a checkpoint."""

from collections.abc import Sequence

from msgspec.structs import force_setattr

from commands.chain import link
from commands.kafka.protocol.chain_rule import CountedMessage, LogCheckpoint
from commands.kafka.protocol.message import CHAIN, TRACKED, covered_bytes
from commands.kafka.protocol.transport import OutgoingMessage
from commands.record_headers import TRACKING, covered_and_headers

ChainedBatch = tuple[list[OutgoingMessage], Sequence[CountedMessage]]
"""The messages to send, and what they are once they count."""


def chain_messages(checkpoint: LogCheckpoint, items: Sequence[CountedMessage]) -> ChainedBatch:
    """Chain *items*, which nobody else has seen yet, in place after *checkpoint*; return their messages too.

    An item without a record becomes a message with its tracking record: it extends the chain and takes no
    sequence.
    """
    chain = checkpoint.tip.chain
    messages: list[OutgoingMessage] = []
    for index, item in enumerate(items):
        record = item.record
        if record is not None:
            key, value = record.home.encode(), record.data
            covered, headers = covered_and_headers(record, item.tracking)
            chain = link(chain, covered)
            force_setattr(record, "chain", chain)
        else:
            key, value = b"", b""
            headers = _tracking_headers(checkpoint.next_offset + index, item.tracking or b"")
            chain = link(chain, covered_bytes(key, value, headers))
        headers.append((CHAIN, chain))
        messages.append(OutgoingMessage(key, value, headers))
    return messages, items


def _tracking_headers(at: int, tracking: bytes) -> list[tuple[str, bytes]]:
    return [("at", b"%d" % at), ("ce_type", TRACKED.encode()), (TRACKING, tracking)]
