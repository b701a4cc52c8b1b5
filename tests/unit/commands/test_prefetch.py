"""A message that another process has examined is judged as the message itself, whatever it is."""

import asyncio
import io
import sqlite3
from contextlib import closing

import pytest
from msgspec import msgpack

from commands.chain import first_chain, link
from commands.kafka.prefetch import pool
from commands.kafka.prefetch.message import Examined, Part, examine
from commands.kafka.prefetch.pool import Cores, Examiners
from commands.kafka.prefetch.worker import Task, examine_all
from commands.kafka.protocol.chain_rule import Counted, Counting, Place, Void, opening_headers
from commands.kafka.protocol.chained_messages import seal
from commands.kafka.protocol.follower import Tail
from commands.kafka.protocol.message import Message, covered
from commands.kafka.replica.replica import Replica
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError, Tip
from processes.frames import read_frame
from tests.unit.commands.test_chain import a_record

LOG = "l"
OPENING = Message(0, None, None, opening_headers(LOG, 0, 1))
OPENED = Place(next_offset=1, counted_at=0, tip=Tip(0, first_chain(LOG, 0, 1), 0), log_id=LOG, partitions=1)


def sealed(place, *items):
    """Return messages of *items* behind *place*, and the place behind them."""
    messages, _ = seal(place, items)
    counting, found = Counting(0, place), []
    for offset, each in enumerate(messages, place.next_offset):
        found.append(Message(offset, each.key, each.value, each.headers))
        counting.take(found[-1])
    return found, counting.place


def record(sequence, **changes):
    fields = {"sequence": sequence, "version": sequence, "at": sequence, "command": f"c{sequence}"}
    return Counted(a_record(**(fields | changes)))


def history(count):
    """Return an opened log of *count* records."""
    messages, _ = sealed(OPENED, *[record(number) for number in range(1, count + 1)])
    return [OPENING, *messages]


def behind(place, *items, offset=None, **headers):
    """Return the first message that *items* make behind *place*, at *offset* and with *headers* of a foreign hand."""
    message = Message(*sealed_alone(place, *items))
    own = [(name, headers.pop(name, value)) for name, value in message.headers]
    return message._replace(offset=message.offset if offset is None else offset, headers=own)


def sealed_alone(place, *items):
    message = seal(place, items)[0][0]
    return place.next_offset, message.key, message.value, message.headers


_, AFTER_TWO = sealed(OPENED, record(1), record(2))
OTHER = Place(next_offset=3, counted_at=2, tip=Tip(2, b"\x07" * 32, 0), log_id=LOG, partitions=1)
FOLLOWING = {
    "nothing": Message(3, None, None, []),
    "noise": Message(3, b"\xff", b"\x00", [("chain", b"short")]),
    "two chains": Message(3, b"k", b"", [("chain", b"\x01" * 32)] * 2),
    "a header without a value": Message(3, b"k", b"", [("chain", b"\x01" * 32), ("at", None)]),
    "a second opening": Message(3, None, None, opening_headers("other", 0, 1)),
    "a tracking record": behind(AFTER_TWO, Counted(None, b"app\x007")),
    "a record": behind(AFTER_TWO, record(3)),
    "a record with a tracking record": behind(AFTER_TWO, Counted(record(3).record, b"app\x007")),
    "a record that lies further on": behind(AFTER_TWO, record(3), offset=5),
    "a record of an old tip": behind(OPENED, record(1), offset=3),
    "a record of another history": behind(OTHER, record(3)),
    "an altered record": behind(AFTER_TWO, record(3), actor=b"somebody"),
    "an unreadable foreign record": behind(OTHER, record(3), version=b"three", at=b"4"),
    "a foreign place in another form": behind(OTHER, record(3), at=b"03"),
    "a number beyond all measure": behind(OTHER, record(3), version=b"9" * 30),
}


def unreadable():
    """Return a message that extends the chain and is no record."""
    headers = [("at", b"3"), ("version", b"three")]
    chain = link(AFTER_TWO.tip.chain, covered(b"k", b"{}", headers))
    return Message(3, b"k", b"{}", [*headers, ("chain", chain)])


CONTRADICTING = {
    "a wrong sequence": behind(AFTER_TWO, record(7)),
    "a time that goes back": behind(AFTER_TWO, record(3, occurred_at=5)),
    "an unreadable one": unreadable(),
}


def through_a_process(*messages):
    """Return *messages* as they come from a process that examined them."""
    out = io.BytesIO()
    asyncio.run(examine_all(a_task(messages[0].offset, messages[-1].offset + 1), Few(messages), out))
    return [item for part in parts_of(out) for item in part.items]


def a_task(start, end, **changes):
    fields = {"span": 1_000, "number": 0, "processes": 1} | changes
    return Task(settings=SETTINGS, topic="t", partition=0, start=start, end=end, **fields)


SETTINGS = KafkaSettings(bootstrap_servers="127.0.0.1:1")


class Few:
    """A partition in memory that gives three messages a time."""

    def __init__(self, messages):
        self.messages = messages
        self.reads = []

    async def fetch(self, offset, *, wait):
        self.reads.append(offset)
        found = [message for message in self.messages if message.offset >= offset][:3]
        return found, found[-1].offset + 1 if found else offset


def parts_of(out):
    out.seek(0)
    frames = iter(lambda: read_frame(out), None)
    return [msgpack.decode(body, type=Part) for body in frames]


@pytest.mark.parametrize("place", [Place(), OPENED, AFTER_TWO], ids=["unopened", "opened", "behind two"])
@pytest.mark.parametrize("name", FOLLOWING)
def test_a_verdict_is_the_same_whoever_examined(name, place):
    message = FOLLOWING[name]
    plain, other = Counting(0, place), Counting(0, place)
    assert other.take(*through_a_process(message)) == plain.take(message)
    assert other.place == plain.place


@pytest.mark.parametrize("name", CONTRADICTING)
def test_a_contradiction_is_told_in_the_same_words(name):
    message, told = CONTRADICTING[name], []
    for item in (message, *through_a_process(message)):
        with pytest.raises(LogCorruptError) as raised:
            Counting(0, AFTER_TWO).take(item)
        told.append(str(raised.value))
    assert told[0] == told[1]


def test_the_messages_above_are_what_they_say():
    verdicts = {name: Counting(0, AFTER_TWO).take(message) for name, message in FOLLOWING.items()}
    counted = {name for name, verdict in verdicts.items() if isinstance(verdict, Counted)}
    alarms = {
        name for name, verdict in verdicts.items() if isinstance(verdict, Void) and verdict.false_history
    }
    assert counted == {
        "a tracking record",
        "a record",
        "a record with a tracking record",
        "a record that lies further on",
    }
    assert alarms >= {"a record of another history", "an altered record"}
    assert "a foreign place in another form" not in alarms
    assert isinstance(examine(FOLLOWING["a record"]), Examined)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("span", [1, 4, 7, 100])
def test_processes_share_every_message_once(processes, span):
    messages, seen = history(30), {}
    for number in range(processes):
        out = io.BytesIO()
        task = a_task(2, 27, span=span, number=number, processes=processes)
        asyncio.run(examine_all(task, Few(messages), out))
        seen |= {item.offset: (number, item) for part in parts_of(out) for item in part.items}
    assert sorted(seen) == list(range(2, 27))
    assert all(number == (offset - 2) // span % processes for offset, (number, _) in seen.items())


def test_a_log_that_ends_early_ends_the_process():
    out = io.BytesIO()
    asyncio.run(examine_all(a_task(0, 50), Few(history(4)), out))
    assert parts_of(out)[-1].after == 5


class InProcess:
    """Examines here, and stops behind *last*."""

    def __init__(self, messages, last):
        self.messages = messages
        self.last = last

    async def parts(self, start, end):
        for at in range(start, min(self.last, end), 4):
            found = [examine(message) for message in self.messages[at : min(at + 4, end)]]
            yield Part(found, at + len(found))


def rebuilt(path, messages, ahead=None):
    """Read *messages* into a new replica; return what lies in it and how far the plain way read."""
    replica, transport = Replica(path, 0), Few(messages)
    tail = Tail(0, transport, replica, lambda _records, _own: None, ahead)
    asyncio.run(tail._read_to(messages[-1].offset + 1))
    replica.close()
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump()), transport.reads


@pytest.mark.parametrize("last", [0, 1, 9, 21])
def test_a_replica_is_the_same_however_far_it_was_read_ahead(tmp_path, last):
    messages = history(20)
    plain, _ = rebuilt(tmp_path / "plain.sqlite", messages)
    ahead, reads = rebuilt(tmp_path / "ahead.sqlite", messages, InProcess(messages, last))
    assert ahead == plain
    assert bool(reads) == (last < 21)


def test_a_contradiction_stops_a_replica_that_reads_ahead(tmp_path):
    messages = [*history(2), CONTRADICTING["a wrong sequence"]]
    with pytest.raises(LogCorruptError, match="sequence 7, not 3"):
        rebuilt(tmp_path / "replica.sqlite", messages, InProcess(messages, 4))


def test_no_more_processes_than_cores_whatever_is_asked():
    cores = Cores(3)
    with cores.taken(2) as first, cores.taken(2) as second, cores.taken(2) as third:
        assert (first, second, third) == (2, 1, 0)
    with cores.taken(2) as again:
        assert again == 2
    with Cores(1).taken(2) as alone:
        assert alone == 0


async def taken_of(found):
    return [part async for part in found]


def test_nothing_is_started_for_what_is_near():
    assert asyncio.run(taken_of(Examiners(SETTINGS, "t", 0).parts(0, 49_999))) == []


def test_a_broker_that_is_away_gives_nothing_and_raises_nothing(monkeypatch):
    monkeypatch.setattr(pool, "_LEAST", 1)
    monkeypatch.setattr(pool, "_cores", Cores(2))
    assert asyncio.run(taken_of(Examiners(SETTINGS, "t", 0).parts(0, 10))) == []


def test_a_program_that_cannot_be_started_gives_nothing(monkeypatch):
    monkeypatch.setattr(pool, "_LEAST", 1)
    monkeypatch.setattr(pool, "_cores", Cores(2))
    monkeypatch.setattr("sys.executable", "/no/such/program")
    assert asyncio.run(taken_of(Examiners(SETTINGS, "t", 0).parts(0, 10))) == []
