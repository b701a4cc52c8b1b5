"""G4: what others write to the topic does not count, and stops nobody."""

import pytest

from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint
from commands.kafka.protocol.chained_messages import chain_messages
from commands.kafka.protocol.transport import OutgoingMessage
from commands.log import Tip
from tests.support.server import eventually

from .local import running, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

GARBAGE = {
    "nothing": OutgoingMessage(None, None, []),
    "noise": OutgoingMessage(b"\xff\x00", b"\x00" * 1_000, []),
    "foreign headers": OutgoingMessage(b"k", b"{}", [("trace", b"1"), ("chain", b"short")]),
    "a chain that extends nothing": OutgoingMessage(b"k", b"{}", [("chain", b"\x01" * 32)]),
    "two chains": OutgoingMessage(b"k", b"{}", [("chain", b"\x01" * 32), ("chain", b"\x01" * 32)]),
    "another opening": OutgoingMessage(None, None, [("ce_type", b"log.opened"), ("chain", b"\x02" * 32)]),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_skipped(settings, tmp_path, name):
    with running(settings, tmp_path / "one") as node:
        first = node.create("a", "k1")
        send(settings, GARBAGE[name])
        second = node.create("b", "k2")  # meets the foreign record
        send(settings, GARBAGE[name])
        eventually(lambda: node.log.partition.void == 2)  # or follows across it, whichever is first
        assert node.create("a", "k1").position == first.position
        assert second.position.sequence() == 2
        assert (node.log.partition.void, node.log.partition.rebuilds) == (2, 0)
        chains = [record.chain for record in node.log.read(0, 10)]
    with running(settings, tmp_path / "two") as fresh:
        assert [record.chain for record in fresh.log.read(0, 10)] == chains


def test_a_batch_that_was_chained_on_an_old_tip_is_void(settings, tmp_path):
    """What a writer sends that stood still while others went on."""
    with running(settings, tmp_path / "one") as node:
        node.create("a")
        stale = node.log.place
        late = _sealed_again(node.log.read(0, 1)[0], stale)
        node.create("b")
        send(settings, *late)
        node.create("c")
        assert [record.sequence for record in node.log.read(0, 10)] == [1, 2, 3]
        assert (node.log.partition.void, node.log.partition.rebuilds) == (1, 0)


def test_a_fork_is_reported_and_reading_goes_on(settings, tmp_path, capfd):
    """A record that extends another history lies at its expected offset: an alarm, then a rebuild."""
    with running(settings, tmp_path / "one") as node:
        node.create("a")
        place = node.log.place
        false = LogCheckpoint(
            next_offset=place.next_offset,
            counted_at=place.counted_at,
            log_id=place.log_id,
            partitions=place.partitions,
            tip=Tip(place.tip.sequence, b"\x07" * 32, place.tip.occurred_at),
        )
        send(settings, *_sealed_again(node.log.read(0, 1)[0], false))
        eventually(
            lambda: node.log.partition.rebuilds == 1 and node.log.place.next_offset > place.next_offset
        )
        assert node.create("b").position.sequence() == 2
        assert node.log.partition.rebuilds == 1
        assert len(node.log.read(0, 10)) == 2


def _sealed_again(record, place):
    """Return messages as an honest program makes them, for a place that is not the log's."""
    from msgspec.structs import replace

    again = replace(
        record,
        stream="project-late",
        version=1,
        command="late",
        sequence=place.tip.sequence + 1,
        at=place.next_offset,
        chain=b"",
    )
    messages, _ = chain_messages(place, [CountedMessage(again)])
    rule = ChainRule(0, place)
    assert rule.checkpoint.tip == place.tip
    return messages
