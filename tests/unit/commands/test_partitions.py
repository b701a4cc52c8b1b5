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


def facts(entries):
    return [(record.occurred_at, log.number, record.sequence) for log, record in entries]


@given(appends=APPENDS, chunk=st.integers(1, 4))
def test_the_merge_keeps_each_partitions_order_and_every_record(appends, chunk):
    logs = filled(appends)
    merged = facts(logs.records({}, through=END, chunk=chunk))
    assert merged == sorted(merged)
    for log in logs:
        assert [at for _, number, at in merged if number == log.number] == [r.sequence for r in log.records]


@given(appends=APPENDS, page=st.integers(1, 5))
def test_pages_give_the_same_records_as_one_read(appends, page):
    logs = filled(appends)
    pages, after = [], {}
    while part := list(islice(logs.records(after, through=END), page)):
        pages += part
        after |= {log.number: record.sequence for log, record in part}
    assert facts(pages) == facts(logs.records({}, through=END))


def test_the_records_of_only_one_partition():
    logs = filled([(0, 1), (1, 2), (2, 3), (1, 4)])
    assert facts(logs.records({}, through=END, only=1)) == [(2, 1, 1), (4, 1, 2)]
    assert facts(logs.records({1: 1}, Selection(topics=("none",)), through=END)) == []
    assert logs.tip(1).sequences == {1: 2}
    assert logs.tip().sequences == {0: 1, 1: 2, 2: 1}


@given(
    appends=APPENDS, through=st.dictionaries(st.integers(0, 2), st.integers(0, 30)), chunk=st.integers(1, 4)
)
def test_records_after_the_given_end_are_not_listed(appends, through, chunk):
    logs = filled(appends)
    expected = [
        (time, number, at)
        for time, number, at in facts(logs.records({}, through=END))
        if at <= through.get(number, 0)
    ]
    assert facts(logs.records({}, through=through, chunk=chunk)) == expected


def test_a_home_key_and_a_command_belong_to_one_log():
    logs = filled([(0, 1), (1, 2)])
    assert [logs.of(f"h{n}") is logs[partition_of(f"h{n}", 3)] for n in range(20)] == [True] * 20
    assert logs.command_records("c-1-1") == (logs[1], logs[1].records)
    assert logs.command_records("none") == (logs[0], [])


def test_logs_that_are_not_one_for_each_partition_are_refused():
    for wrong in ([], [MemoryLog(1)], [MemoryLog(0), MemoryLog(0)]):
        with pytest.raises(ValueError, match="one for each"):
            Logs(wrong)


class RecordingBus:
    """Answers that the commands are unavailable, and records its calls."""

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
def execute():
    """Execute submissions in both ways, on buses of which some are busy; return outcomes and calls."""

    def execute(items, *, busy=()):
        results = []
        for way in (lambda bus: asyncio.run(bus.execute(items)), lambda bus: bus.execute_sync(items)):
            calls = []
            buses = [RecordingBus(number, calls, busy=number in busy) for number in range(3)]
            results.append((way(PartitionedBus(buses, number_of)), calls))
        assert results[0] == results[1]
        return results[0]

    return execute


def test_each_partition_gets_its_part_of_a_batch_once_and_in_order(submissions, execute):
    outcomes, calls = execute(submissions)
    assert [outcome.command_id for outcome in outcomes] == [item.command_id for item in submissions]
    expected = {number: [] for number in range(3)}
    for item in submissions:
        expected[number_of(home_of(item.command))].append(item.command_id)
    assert dict(calls) == expected
    assert len(calls) == 3


def test_the_order_between_commands_about_accounts_and_others_is_kept(submissions, commands, execute):
    standing = ChangeStanding(account_id=ADA.id, roles=None, tier=Tier.PRO)
    account = commands.intake.submit(standing, None, CommandMetadata(actor=SERVICE))
    _, calls = execute([*submissions[:20], account, *submissions[20:]])
    at = next(index for index, (_, run) in enumerate(calls) if account.command_id in run)
    assert calls[at] == (number_of("accounts"), [account.command_id])
    first = {id_ for _, run in calls[:at] for id_ in run}
    assert first == {item.command_id for item in submissions[:20]}


def test_a_busy_partition_makes_its_commands_unavailable_and_all_busy_ones_raise(submissions, execute):
    outcomes, calls = execute(submissions, busy=(0, 2))
    assert [number for number, _ in calls] == [1]
    carried_out = set(calls[0][1])
    assert {outcome.reason for outcome in outcomes if outcome.command_id in carried_out} == {"done"}
    assert {outcome.reason for outcome in outcomes if outcome.command_id not in carried_out} == {"too many"}
    with pytest.raises(BusyError):
        execute(submissions, busy=(0, 1, 2))


def test_all_partitions_are_counted_and_closed():
    calls = []
    bus = PartitionedBus([RecordingBus(number, calls) for number in range(3)], number_of)
    assert (bus.waiting, bus.close()) == (6, None)
    assert calls == [(number, "closed") for number in range(3)]


def test_the_bus_of_a_single_partition_is_used_directly():
    only = RecordingBus(0, [])
    assert partitioned([only], number_of) is only
