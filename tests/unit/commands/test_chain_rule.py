"""The chain rule: what counts, what is void, and how far a reader is after each message."""

import msgspec
import pytest

from commands.chain import first_chain
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint, opening_headers
from commands.kafka.protocol.message import Message
from commands.log import Tip
from tests.unit.commands.test_prefetch import AFTER_TWO, OPENED, OPENING, after, chained, record


def test_a_checkpoint_moves_forward_only():
    assert OPENED.moved_to(5) == msgspec.structs.replace(OPENED, next_offset=5)
    assert OPENED.moved_to(1) is OPENED
    assert OPENED.moved_to(0) is OPENED


def test_a_checkpoint_after_a_counted_message():
    tip = Tip(9, b"\x01" * 32, 5)
    expected = {"next_offset": 8, "counted_at": 7, "tip": tip, "log_id": "l", "partitions": 1}
    assert msgspec.structs.asdict(OPENED.after(7, tip)) == expected


def test_a_stored_checkpoint_can_be_read_by_every_release():
    """Workers store it with their checkpoints, so the names and the form of its fields must not change."""
    stored = bytes.fromhex(
        "85ab6e6578745f6f666673657408aa636f756e7465645f617407a374697083a873657175656e636509a5636861696ec401"
        "01ab6f636375727265645f617405a66c6f675f6964a16caa706172746974696f6e7301"
    )
    checkpoint = LogCheckpoint(next_offset=8, counted_at=7, tip=Tip(9, b"\x01", 5), log_id="l", partitions=1)
    assert msgspec.msgpack.decode(stored, type=LogCheckpoint) == checkpoint
    assert msgspec.msgpack.encode(checkpoint) == stored


def test_an_opening_message_opens_its_own_partition():
    rule = ChainRule(0)
    assert rule.judge(OPENING) == CountedMessage(None)
    assert rule.checkpoint == OPENED


@pytest.mark.parametrize(
    ("partition", "headers"),
    [
        (1, opening_headers("l", 0, 1)),
        (0, opening_headers("", 0, 1)),
        (0, [*opening_headers("l", 0, 1)[:-1], ("partitions", b"2")]),
        (0, [*opening_headers("l", 0, 1)[:-1], ("partitions", b"x")]),
        (0, [("chain", first_chain("l", 0, 1))]),
    ],
    ids=["another partition", "no log id", "other partitions than chained", "no number", "no headers"],
)
def test_another_message_does_not_open_it(partition, headers):
    rule = ChainRule(partition)
    assert not isinstance(rule.judge(Message(4, None, None, headers)), CountedMessage)
    assert rule.checkpoint == LogCheckpoint(next_offset=5)


def test_of_two_records_on_one_tip_the_first_counts():
    rule = ChainRule(0, AFTER_TWO)
    first, second = after(AFTER_TWO, record(3)), after(AFTER_TWO, record(3, actor="other"), offset=4)
    assert rule.judge(first).record.actor == "owner"
    verdict = rule.judge(second)
    assert (verdict.offset, verdict.false_history) == (4, False)
    _, expected = chained(AFTER_TWO, record(3))
    assert rule.checkpoint == expected.moved_to(5)
