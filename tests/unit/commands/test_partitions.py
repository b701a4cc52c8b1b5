"""The logs of several partitions as one history, and the bus over them."""

import asyncio
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.bus import BusyError
from commands.handlers import home_of
from commands.log import Selection
from commands.outcomes import Unavailable
from commands.partitioned_bus import PartitionedBus, partitioned
from commands.partitioning import partition_of
from commands.partitions import Logs
from tests.support.partitions import MemoryLog, memory_logs

APPENDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), max_size=30)


def filled(appends):
    logs = memory_logs()
    for partition, time in appends:
        logs[partition].add("h", time)
    return logs


def told(items):
    return [(record.occurred_at, log.number, record.sequence) for log, record in items]


@given(appends=APPENDS, chunk=st.integers(1, 4))
def test_the_merge_keeps_each_partitions_order_and_leaves_nothing_out(appends, chunk):
    logs = filled(appends)
    found = told(logs.records({}, chunk=chunk))
    assert found == sorted(found)
    for log in logs:
        assert [at for _, number, at in found if number == log.number] == [r.sequence for r in log.records]


@given(appends=APPENDS, page=st.integers(1, 5))
def test_reading_on_from_a_position_gives_what_one_reading_gives(appends, page):
    logs = filled(appends)
    found, after = [], {}
    while part := list(islice(logs.records(after), page)):
        found += part
        after |= {log.number: record.sequence for log, record in part}
    assert told(found) == told(logs.records({}))


def test_one_partition_alone():
    logs = filled([(0, 1), (1, 2), (2, 3), (1, 4)])
    assert told(logs.records({}, only=1)) == [(2, 1, 1), (4, 1, 2)]
    assert told(logs.records({1: 1}, Selection(topics=("none",)))) == []
    assert logs.tip(1).sequences == {1: 2}
    assert logs.tip().sequences == {0: 1, 1: 2, 2: 1}


def test_a_home_and_a_command_have_their_log():
    logs = filled([(0, 1), (1, 2)])
    assert [logs.of(f"h{n}") is logs[partition_of(f"h{n}", 3)] for n in range(20)] == [True] * 20
    assert logs.command_records("c-1-1") == (logs[1], logs[1].records)
    assert logs.command_records("none") == (logs[0], [])


def test_the_logs_are_one_for_each_partition():
    for wrong in ([], [MemoryLog(1)], [MemoryLog(0), MemoryLog(0)]):
        with pytest.raises(ValueError, match="one for each"):
            Logs(wrong)


class OneBus:
    """Answers with what it was given, and notes it."""

    def __init__(self, number, calls, *, busy=False):
        self.number, self.calls, self.busy, self.waiting = number, calls, busy, number + 1

    async def execute(self, submissions):
        return self.execute_sync(submissions)

    def execute_sync(self, submissions, timeout=60.0):
        if self.busy:
            raise BusyError("too many")
        self.calls.append((self.number, [item.command_id for item in submissions]))
        return [Unavailable(command_id=item.command_id, reason="done") for item in submissions]

    def close(self, timeout=10.0):
        self.calls.append((self.number, "closed"))


@pytest.fixture
def submissions(commands):
    return [commands.submission("project.create", name=f"p{number}") for number in range(40)]


def number_of(home):
    return partition_of(home, 3)


def test_a_batch_is_carried_out_in_order_as_runs_of_one_partition(submissions):
    calls = []
    bus = PartitionedBus([OneBus(number, calls) for number in range(3)], number_of)
    for outcomes in (asyncio.run(bus.execute(submissions)), bus.execute_sync(submissions)):
        assert [outcome.command_id for outcome in outcomes] == [item.command_id for item in submissions]
    half = calls[: len(calls) // 2]
    assert calls == half * 2
    assert [id_ for _, run in half for id_ in run] == [item.command_id for item in submissions]
    assert all(one[0] != other[0] for one, other in pairwise(half))
    numbers = {item.command_id: number_of(home_of(item.command)) for item in submissions}
    assert all(numbers[id_] == number for number, run in half for id_ in run)
    assert (bus.waiting, bus.close()) == (6, None)


def test_what_finds_no_room_after_the_first_run_is_unavailable(submissions):
    calls = []
    buses = [OneBus(number, calls, busy=number != 1) for number in range(3)]
    bus = PartitionedBus(buses, number_of)
    by_partition = sorted(submissions, key=lambda item: number_of(home_of(item.command)) != 1)
    outcomes = bus.execute_sync(by_partition)
    assert {outcome.reason for outcome in outcomes} == {"done", "too many"}
    assert outcomes == asyncio.run(bus.execute(by_partition))
    for execute in (bus.execute_sync, lambda items: asyncio.run(bus.execute(items))):
        with pytest.raises(BusyError):
            execute(by_partition[::-1])


def test_one_partition_needs_no_bus_over_it():
    only = OneBus(0, [])
    assert partitioned([only], number_of) is only
