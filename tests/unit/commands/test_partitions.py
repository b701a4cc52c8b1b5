"""The logs of several partitions as one history, and the bus over them."""

import asyncio
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.bus import BusyError
from commands.intake import CommandMetadata
from commands.log import Selection
from commands.outcomes import Unavailable
from commands.partitioned_bus import PartitionedBus, partitioned
from commands.partitioner import partition_of
from commands.partitions import Logs
from commands.table.dispatch import home_of
from domain.account.commands import ChangeStanding
from domain.actor import SERVICE, Tier
from tests.support.partitions import MemoryLog, memory_logs
from tests.support.profile import ADA

END = dict.fromkeys(range(3), 1_000)
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
    found = told(logs.records({}, upto=END, chunk=chunk))
    assert found == sorted(found)
    for log in logs:
        assert [at for _, number, at in found if number == log.number] == [r.sequence for r in log.records]


@given(appends=APPENDS, page=st.integers(1, 5))
def test_reading_on_from_a_position_gives_what_one_reading_gives(appends, page):
    logs = filled(appends)
    found, after = [], {}
    while part := list(islice(logs.records(after, upto=END), page)):
        found += part
        after |= {log.number: record.sequence for log, record in part}
    assert told(found) == told(logs.records({}, upto=END))


def test_one_partition_alone():
    logs = filled([(0, 1), (1, 2), (2, 3), (1, 4)])
    assert told(logs.records({}, upto=END, only=1)) == [(2, 1, 1), (4, 1, 2)]
    assert told(logs.records({1: 1}, Selection(topics=("none",)), upto=END)) == []
    assert logs.tip(1).sequences == {1: 2}
    assert logs.tip().sequences == {0: 1, 1: 2, 2: 1}


@given(appends=APPENDS, upto=st.dictionaries(st.integers(0, 2), st.integers(0, 30)), chunk=st.integers(1, 4))
def test_what_lies_behind_the_end_is_not_listed(appends, upto, chunk):
    logs = filled(appends)
    kept = [
        (time, number, at)
        for time, number, at in told(logs.records({}, upto=END))
        if at <= upto.get(number, 0)
    ]
    assert told(logs.records({}, upto=upto, chunk=chunk)) == kept


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


@pytest.fixture
def asked(submissions):
    """Carry *submissions* out both ways, on buses of which some are busy; give the outcomes and what the buses got."""

    def ask(items, *, busy=()):
        results = []
        for way in (lambda bus: asyncio.run(bus.execute(items)), lambda bus: bus.execute_sync(items)):
            calls = []
            buses = [OneBus(number, calls, busy=number in busy) for number in range(3)]
            results.append((way(PartitionedBus(buses, number_of)), calls))
        assert results[0] == results[1]
        return results[0]

    return ask


def test_each_partition_gets_its_part_of_a_batch_once_and_in_order(submissions, asked):
    outcomes, calls = asked(submissions)
    assert [outcome.command_id for outcome in outcomes] == [item.command_id for item in submissions]
    expected = {number: [] for number in range(3)}
    for item in submissions:
        expected[number_of(home_of(item.command))].append(item.command_id)
    assert dict(calls) == expected
    assert len(calls) == 3


def test_commands_about_accounts_keep_their_place_among_others(submissions, commands, asked):
    standing = ChangeStanding(account_id=ADA.id, roles=None, tier=Tier.PRO)
    account = commands.intake.submit(standing, None, CommandMetadata(actor=SERVICE))
    _, calls = asked([*submissions[:20], account, *submissions[20:]])
    at = next(place for place, (_, run) in enumerate(calls) if account.command_id in run)
    assert calls[at] == (number_of("accounts"), [account.command_id])
    first = {id_ for _, run in calls[:at] for id_ in run}
    assert first == {item.command_id for item in submissions[:20]}


def test_what_finds_no_room_is_unavailable_and_where_nothing_does_that_is_told(submissions, asked):
    outcomes, calls = asked(submissions, busy=(0, 2))
    assert [number for number, _ in calls] == [1]
    done = set(calls[0][1])
    assert {outcome.reason for outcome in outcomes if outcome.command_id in done} == {"done"}
    assert {outcome.reason for outcome in outcomes if outcome.command_id not in done} == {"too many"}
    with pytest.raises(BusyError):
        asked(submissions, busy=(0, 1, 2))


def test_all_partitions_are_closed_and_counted():
    calls = []
    bus = PartitionedBus([OneBus(number, calls) for number in range(3)], number_of)
    assert (bus.waiting, bus.close()) == (6, None)
    assert calls == [(number, "closed") for number in range(3)]


def test_one_partition_needs_no_bus_over_it():
    only = OneBus(0, [])
    assert partitioned([only], number_of) is only
