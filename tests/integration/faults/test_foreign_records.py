"""G4: what other programs write to the topic does not count, and stops no node."""

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import CountedMessage
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
        second = node.create("b", "k2")  # its append lands after the foreign record
        send(settings, GARBAGE[name])
        eventually(lambda: node.log.partition.void == 2)  # by that append, or by following the log
        assert node.create("a", "k1").position == first.position
        assert second.position.sequence() == 2
        assert (node.log.partition.void, node.log.partition.rebuilds) == (2, 0)
        chains = [record.chain for record in node.log.read(0, 10)]
    with running(settings, tmp_path / "two") as fresh:
        assert [record.chain for record in fresh.log.read(0, 10)] == chains


def test_a_batch_that_was_chained_on_an_old_tip_is_void(settings, tmp_path):
    """A writer that stalled sends its batch after others have appended."""
    with running(settings, tmp_path / "one") as node:
        node.create("a")
        late = _chained_again(node.log.read(0, 1)[0], node.log.checkpoint)
        node.create("b")
        send(settings, *late)
        node.create("c")
        assert [record.sequence for record in node.log.read(0, 10)] == [1, 2, 3]
        assert (node.log.partition.void, node.log.partition.rebuilds) == (1, 0)


def test_a_fork_is_reported_and_reading_continues(settings, tmp_path):
    """A record that extends another history lies at its expected offset: an alarm, then a rebuild."""
    with running(settings, tmp_path / "one") as node:
        node.create("a")
        checkpoint = node.log.checkpoint
        false = replace(
            checkpoint, tip=Tip(checkpoint.tip.sequence, b"\x07" * 32, checkpoint.tip.occurred_at)
        )
        send(settings, *_chained_again(node.log.read(0, 1)[0], false))
        eventually(
            lambda: (
                node.log.partition.rebuilds == 1 and node.log.checkpoint.next_offset > checkpoint.next_offset
            )
        )
        assert node.create("b").position.sequence() == 2
        assert node.log.partition.rebuilds == 1
        assert len(node.log.read(0, 10)) == 2


def _chained_again(record, checkpoint):
    """Return messages as an honest writer makes them after *checkpoint*, which is not the log's."""
    again = replace(
        record,
        stream="project-late",
        version=1,
        command="late",
        sequence=checkpoint.tip.sequence + 1,
        at=checkpoint.next_offset,
        chain=b"",
    )
    messages, _ = chain_messages(checkpoint, [CountedMessage(again)])
    return messages
