"""A message that another process has prefetched gets the same verdict as the message itself."""

import asyncio
import io
import sqlite3
from contextlib import closing

import pytest
from msgspec import msgpack

from commands.chain import first_chain, link
from commands.kafka.prefetch import pool
from commands.kafka.prefetch.message import PrefetchedBatch, PrefetchedRecord, prefetch_message
from commands.kafka.prefetch.pool import CoreBudget, PrefetchPool
from commands.kafka.prefetch.worker import PrefetchTask, prefetch_spans
from commands.kafka.protocol.chain_rule import (
    ChainRule,
    CountedMessage,
    LogCheckpoint,
    VoidMessage,
    opening_headers,
)
from commands.kafka.protocol.chained_messages import chain_messages
from commands.kafka.protocol.follower import LogFollower
from commands.kafka.protocol.message import Message, covered_bytes
from commands.kafka.replica.replica import Replica
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError, Tip
from processes.frames import read_frame
from tests.unit.commands.test_chain import a_record

LOG = "l"
OPENING = Message(0, None, None, opening_headers(LOG, 0, 1))
OPENED = LogCheckpoint(
    next_offset=1, counted_at=0, tip=Tip(0, first_chain(LOG, 0, 1), 0), log_id=LOG, partitions=1
)


def chained(checkpoint, *items):
    """Return the messages of *items* after *checkpoint*, and the checkpoint after them."""
    outgoing, _ = chain_messages(checkpoint, items)
    rule, messages = ChainRule(0, checkpoint), []
    for offset, each in enumerate(outgoing, checkpoint.next_offset):
        messages.append(Message(offset, each.key, each.value, each.headers))
        rule.judge(messages[-1])
    return messages, rule.checkpoint


def record(sequence, **changes):
    fields = {"sequence": sequence, "version": sequence, "at": sequence, "command": f"c{sequence}"}
    return CountedMessage(a_record(**(fields | changes)))


def history(count):
    """Return an opened log of *count* records."""
    messages, _ = chained(OPENED, *[record(number) for number in range(1, count + 1)])
    return [OPENING, *messages]


def after(checkpoint, *items, offset=None, **headers):
    """Return the first message of *items* after *checkpoint*, at *offset*, with some *headers* altered."""
    outgoing = chain_messages(checkpoint, items)[0][0]
    altered = [(name, headers.pop(name, value)) for name, value in outgoing.headers]
    offset = checkpoint.next_offset if offset is None else offset
    return Message(offset, outgoing.key, outgoing.value, altered)


_, AFTER_TWO = chained(OPENED, record(1), record(2))
OTHER = LogCheckpoint(next_offset=3, counted_at=2, tip=Tip(2, b"\x07" * 32, 0), log_id=LOG, partitions=1)
FOLLOWING = {
    "nothing": Message(3, None, None, []),
    "noise": Message(3, b"\xff", b"\x00", [("chain", b"short")]),
    "two chains": Message(3, b"k", b"", [("chain", b"\x01" * 32)] * 2),
    "a header without a value": Message(3, b"k", b"", [("chain", b"\x01" * 32), ("at", None)]),
    "a second opening": Message(3, None, None, opening_headers("other", 0, 1)),
    "a tracking record": after(AFTER_TWO, CountedMessage(None, b"app\x007")),
    "a record": after(AFTER_TWO, record(3)),
    "a record with a tracking record": after(AFTER_TWO, CountedMessage(record(3).record, b"app\x007")),
    "a record at a later offset": after(AFTER_TWO, record(3), offset=5),
    "a record of an old tip": after(OPENED, record(1), offset=3),
    "a record of another history": after(OTHER, record(3)),
    "an altered record": after(AFTER_TWO, record(3), actor=b"somebody"),
    "an unreadable foreign record": after(OTHER, record(3), version=b"three", at=b"4"),
    "a foreign expected offset in another form": after(OTHER, record(3), at=b"03"),
    "a number that msgpack cannot hold": after(OTHER, record(3), version=b"9" * 30),
}


def unreadable():
    """Return a message that extends the chain and is no record."""
    headers = [("at", b"3"), ("version", b"three")]
    chain = link(AFTER_TWO.tip.chain, covered_bytes(b"k", b"{}", headers))
    return Message(3, b"k", b"{}", [*headers, ("chain", chain)])


CONTRADICTING = {
    "a wrong sequence": after(AFTER_TWO, record(7)),
    "a time that goes back": after(AFTER_TWO, record(3, occurred_at=5)),
    "an unreadable one": unreadable(),
}


def through_a_process(*messages):
    """Return *messages* as they come from a process that prefetched them."""
    out = io.BytesIO()
    task = a_task(messages[0].offset, messages[-1].offset + 1)
    asyncio.run(prefetch_spans(task, MemoryPartition(messages), out))
    return [message for batch in batches_of(out) for message in batch.messages]


def a_task(start, end, **changes):
    fields = {"span": 1_000, "number": 0, "processes": 1} | changes
    return PrefetchTask(settings=SETTINGS, topic="t", partition=0, start=start, end=end, **fields)


SETTINGS = KafkaSettings(bootstrap_servers="127.0.0.1:1")


class MemoryPartition:
    """A partition in memory that gives three messages at a time."""

    def __init__(self, messages):
        self.messages = messages
        self.reads = []

    async def fetch(self, offset, *, wait):
        self.reads.append(offset)
        page = [message for message in self.messages if message.offset >= offset][:3]
        return page, page[-1].offset + 1 if page else offset


def batches_of(out):
    out.seek(0)
    frames = iter(lambda: read_frame(out), None)
    return [msgpack.decode(body, type=PrefetchedBatch) for body in frames]


@pytest.mark.parametrize(
    "checkpoint", [LogCheckpoint(), OPENED, AFTER_TWO], ids=["unopened", "opened", "after two"]
)
@pytest.mark.parametrize("name", FOLLOWING)
def test_a_prefetched_message_gets_the_same_verdict(name, checkpoint):
    message = FOLLOWING[name]
    plain, other = ChainRule(0, checkpoint), ChainRule(0, checkpoint)
    assert other.judge(*through_a_process(message)) == plain.judge(message)
    assert other.checkpoint == plain.checkpoint


@pytest.mark.parametrize("name", CONTRADICTING)
def test_a_contradiction_raises_the_same_error(name):
    message, errors = CONTRADICTING[name], []
    for incoming in (message, *through_a_process(message)):
        with pytest.raises(LogCorruptError) as raised:
            ChainRule(0, AFTER_TWO).judge(incoming)
        errors.append(str(raised.value))
    assert errors[0] == errors[1]


def test_the_messages_above_are_what_their_names_say():
    verdicts = {name: ChainRule(0, AFTER_TWO).judge(message) for name, message in FOLLOWING.items()}
    counted = {name for name, verdict in verdicts.items() if isinstance(verdict, CountedMessage)}
    alarms = {
        name
        for name, verdict in verdicts.items()
        if isinstance(verdict, VoidMessage) and verdict.false_history
    }
    assert counted == {
        "a tracking record",
        "a record",
        "a record with a tracking record",
        "a record at a later offset",
    }
    assert alarms >= {"a record of another history", "an altered record"}
    assert "a foreign expected offset in another form" not in alarms
    assert isinstance(prefetch_message(FOLLOWING["a record"]), PrefetchedRecord)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("span", [1, 4, 7, 100])
def test_each_message_is_prefetched_by_one_process(processes, span):
    messages, seen = history(30), {}
    for number in range(processes):
        out = io.BytesIO()
        task = a_task(2, 27, span=span, number=number, processes=processes)
        asyncio.run(prefetch_spans(task, MemoryPartition(messages), out))
        prefetched = [message for batch in batches_of(out) for message in batch.messages]
        assert not seen.keys() & {message.offset for message in prefetched}
        seen |= {message.offset: number for message in prefetched}
    assert sorted(seen) == list(range(2, 27))
    assert all(number == (offset - 2) // span % processes for offset, number in seen.items())


def test_a_log_that_ends_early_ends_the_process():
    out = io.BytesIO()
    asyncio.run(prefetch_spans(a_task(0, 50), MemoryPartition(history(4)), out))
    assert batches_of(out)[-1].after == 5


class LocalPrefetcher:
    """Prefetches in this process, and stops at about *last*."""

    def __init__(self, messages, last):
        self.messages = messages
        self.last = last

    async def batches(self, start, end):
        for at in range(start, min(self.last, end), 4):
            batch = [prefetch_message(message) for message in self.messages[at : min(at + 4, end)]]
            yield PrefetchedBatch(batch, at + len(batch))


def rebuilt(path, messages, prefetcher=None):
    """Read *messages* into a new replica; return its content, and the offsets that were not prefetched."""
    replica, transport = Replica(path, 0), MemoryPartition(messages)
    follower = LogFollower(0, transport, replica, lambda _records, _own: None, prefetcher)
    asyncio.run(follower._read_to(messages[-1].offset + 1))
    replica.close()
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump()), transport.reads


@pytest.mark.parametrize("last", [0, 1, 9, 21])
def test_a_replica_is_the_same_however_much_was_prefetched(tmp_path, last):
    messages = history(20)
    plain, _ = rebuilt(tmp_path / "plain.sqlite", messages)
    prefetched, reads = rebuilt(tmp_path / "prefetched.sqlite", messages, LocalPrefetcher(messages, last))
    assert prefetched == plain
    assert bool(reads) == (last < 21)


def test_a_contradiction_stops_a_replica_that_prefetches(tmp_path):
    messages = [*history(2), CONTRADICTING["a wrong sequence"]]
    with pytest.raises(LogCorruptError, match="sequence 7, not 3"):
        rebuilt(tmp_path / "replica.sqlite", messages, LocalPrefetcher(messages, 4))


def test_no_more_processes_run_than_there_are_cores():
    cores = CoreBudget(3)
    with cores.reserve(2) as first, cores.reserve(2) as second, cores.reserve(2) as third:
        assert (first, second, third) == (2, 1, 0)
    with cores.reserve(2) as again:
        assert again == 2
    with CoreBudget(1).reserve(2) as alone:
        assert alone == 0


async def batches_from(prefetcher, start, end):
    return [batch async for batch in prefetcher.batches(start, end)]


def test_no_process_is_started_for_a_short_distance():
    assert asyncio.run(batches_from(PrefetchPool(SETTINGS, "t", 0), 0, 49_999)) == []


def test_an_unavailable_broker_yields_nothing_and_raises_nothing(monkeypatch):
    monkeypatch.setattr(pool, "_LEAST_MESSAGES", 1)
    monkeypatch.setattr(pool, "_cores", CoreBudget(2))
    assert asyncio.run(batches_from(PrefetchPool(SETTINGS, "t", 0), 0, 10)) == []


def test_a_program_that_cannot_be_started_yields_nothing(monkeypatch):
    monkeypatch.setattr(pool, "_LEAST_MESSAGES", 1)
    monkeypatch.setattr(pool, "_cores", CoreBudget(2))
    monkeypatch.setattr("sys.executable", "/no/such/program")
    assert asyncio.run(batches_from(PrefetchPool(SETTINGS, "t", 0), 0, 10)) == []
