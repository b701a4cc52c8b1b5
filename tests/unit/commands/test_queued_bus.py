"""What all buses share: callers get their own outcomes, and a faulty command does not fail its neighbours."""

import asyncio
import concurrent.futures
import threading

import pytest

from commands.log import LogCorruptError, LogUnavailableError
from commands.outcomes import Accepted, Refused, Unavailable
from commands.position import Position
from commands.queue import BusyError, LoopWorker
from commands.queued_bus import WAITING_COMMANDS, QueuedBus, Ticket
from commands.table.commits import AuthorInput, ChangeInput
from domain.errors import ConflictError
from tests.support.time_scale import stretched


@pytest.fixture
def submissions(commands):
    return [commands.submission("project.create", name=f"p{number}") for number in range(6)]


class Decider:
    """Accepts every command but the *faulty* ones, whose errors it raises, and records the batches."""

    def __init__(self, **faulty):
        self.faulty = faulty
        self.batches = []
        self.forgotten = 0

    async def decide(self, submissions):
        batch = [submission.command.name for submission in submissions]
        self.batches.append(batch)
        for name in batch:
            if name in self.faulty:
                raise self.faulty[name]
        return [accepted(submission) for submission in submissions]

    def forget(self):
        self.forgotten += 1


def accepted(submission):
    return Accepted(
        command_id=submission.command_id, stream=submission.command.name, version=1, position=Position()
    )


def ticket_of(submissions, loop=None):
    future = (loop or asyncio.get_running_loop()).create_future()
    return Ticket(submissions, future, loop or asyncio.get_running_loop())


def decided(decider, submissions):
    """Return the outcomes of one batch."""

    async def run():
        bus = QueuedBus(decider.decide, decider.forget)
        ticket = ticket_of(submissions)
        await bus.carry_out([ticket], asyncio.get_running_loop())
        return ticket.future.result()

    return asyncio.run(run())


def test_one_command_that_is_refused_by_the_log_does_not_fail_its_neighbours(submissions):
    decider = Decider(p1=ConflictError("erased"))
    outcomes = decided(decider, submissions[:3])
    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted]
    assert outcomes[1].refusal is decider.faulty["p1"]
    assert decider.batches == [["p0", "p1", "p2"], ["p0"], ["p1"], ["p2"]]
    assert decider.forgotten == 2


def test_one_command_with_a_fault_of_ours_does_not_fail_its_neighbours(submissions):
    outcomes = decided(Decider(p1=ZeroDivisionError()), submissions[:3])
    assert [type(outcome) for outcome in outcomes] == [Accepted, Unavailable, Accepted]
    assert outcomes[1].reason == "internal error: ZeroDivisionError"


@pytest.mark.parametrize("error", [LogUnavailableError("no answer"), LogCorruptError("broken")])
def test_a_log_that_fails_makes_the_whole_batch_unavailable(submissions, error):
    decider = Decider(p1=error)
    outcomes = decided(decider, submissions[:3])
    assert [outcome.reason for outcome in outcomes] == [str(error)] * 3
    assert [outcome.command_id for outcome in outcomes] == [item.command_id for item in submissions[:3]]
    assert (len(decider.batches), decider.forgotten) == (1, 1)


def test_each_ticket_gets_its_own_outcomes(submissions):
    async def run():
        bus = QueuedBus(Decider().decide, lambda: None)
        tickets = [ticket_of(submissions[start:end]) for start, end in ((0, 1), (1, 1), (1, 4), (4, 6))]
        await bus.carry_out(tickets, asyncio.get_running_loop())
        return [[outcome.stream for outcome in ticket.future.result()] for ticket in tickets]

    assert asyncio.run(run()) == [["p0"], [], ["p1", "p2", "p3"], ["p4", "p5"]]


class CountingLoop:
    """Stands for a caller's loop, and counts how often it is woken."""

    def __init__(self):
        self.calls = []

    def call_soon_threadsafe(self, callback, *arguments):
        self.calls.append((callback, arguments))

    def create_future(self):
        return asyncio.get_running_loop().create_future()


def test_each_loop_is_woken_once_for_all_of_its_tickets(submissions):
    async def run():
        bus = QueuedBus(Decider().decide, lambda: None)
        one, other = CountingLoop(), CountingLoop()
        tickets = [ticket_of([each], loop) for each, loop in zip(submissions, [one, other] * 3, strict=True)]
        await bus.carry_out(tickets)
        assert not any(ticket.future.done() for ticket in tickets)
        for loop in (one, other):
            ((callback, arguments),) = loop.calls
            callback(*arguments)
        return [ticket.future.result()[0].stream for ticket in tickets]

    assert asyncio.run(run()) == [f"p{number}" for number in range(6)]


def test_a_loop_that_has_ended_does_not_keep_others_from_their_outcomes(submissions):
    async def run():
        bus = QueuedBus(Decider().decide, lambda: None)
        ended = asyncio.new_event_loop()
        orphan, ticket = ticket_of(submissions[:1], ended), ticket_of(submissions[1:2])
        ended.close()
        await bus.carry_out([orphan, ticket], asyncio.get_running_loop())
        assert not orphan.future.done()
        assert bus.waiting == -2  # both are released; they were never admitted
        return ticket.future.result()

    assert asyncio.run(run())[0].stream == "p1"


def test_a_caller_that_has_given_up_does_not_keep_others_from_their_outcomes(submissions):
    async def run():
        bus = QueuedBus(Decider().decide, lambda: None)
        given_up, ticket = ticket_of(submissions[:1]), ticket_of(submissions[1:2])
        given_up.future.cancel()
        await bus.carry_out([given_up, ticket], asyncio.get_running_loop())
        return ticket.future.result()

    assert asyncio.run(run())[0].stream == "p1"


def test_callers_in_loops_and_threads_are_answered(submissions):
    async def run():
        bus = QueuedBus(Decider().decide, lambda: None)
        LoopWorker(asyncio.get_running_loop(), bus.queue, bus.carry_out)
        async with asyncio.timeout(stretched(10)):
            results = await asyncio.gather(
                bus.execute(submissions[:2]),
                asyncio.to_thread(bus.execute_sync, submissions[2:3]),
                asyncio.to_thread(lambda: asyncio.run(bus.execute(submissions[3:4]))),
            )
        assert bus.waiting == 0
        return [[outcome.stream for outcome in outcomes] for outcomes in results]

    assert asyncio.run(run()) == [["p0", "p1"], ["p2"], ["p3"]]


def test_a_thread_that_waits_too_long_gets_unavailable_outcomes(submissions):
    bus = QueuedBus(Decider().decide, lambda: None)  # it has no worker
    outcomes = bus.execute_sync(submissions[:2], timeout=0.01)
    assert [outcome.reason for outcome in outcomes] == ["no answer in time"] * 2


def test_a_bus_takes_no_more_than_20_000_commands(submissions):
    bus = QueuedBus(Decider().decide, lambda: None)
    bus.hand_in(Ticket([submissions[0]] * (WAITING_COMMANDS + 1), None, None))
    with pytest.raises(BusyError, match="20001 commands are waiting"):
        bus.execute_sync(submissions[:1])


def test_a_batch_has_1_000_commands(submissions):
    bus = QueuedBus(Decider().decide, lambda: None)
    for _ in range(1_001):
        bus.hand_in(Ticket(submissions[:1], None, None))
    assert [len(bus.queue.take()) for _ in range(3)] == [1_000, 1, 0]


@pytest.mark.parametrize(("count", "outcome"), [(1, Accepted), (129, Unavailable)])
def test_the_bus_on_sqlite_answers_what_arrived_before_it_was_closed(commands, monkeypatch, count, outcome):
    """The batcher holds the commands back until the thread has ended; a large batch is not decided then."""
    monkeypatch.setattr("commands.bus._INLINE_SECONDS", float("inf"))

    async def run():
        submissions = [commands.submission("project.create", name="p") for _ in range(count)]
        waiting = asyncio.gather(*(commands.bus.execute([each]) for each in submissions))
        await asyncio.sleep(0)
        commands.bus.close()
        with pytest.raises(BusyError):
            await commands.bus.execute(submissions[:1])
        async with asyncio.timeout(stretched(10)):
            return await waiting

    assert {type(each) for (each,) in asyncio.run(run())} == {outcome}
    assert commands.bus.waiting == 0


@pytest.mark.parametrize(
    ("inline_seconds", "threads"),
    [
        (float("inf"), [("MainThread", 1), ("MainThread", 128), ("command-bus", 129)]),
        (0, [("command-bus", 1), ("command-bus", 128), ("command-bus", 129)]),
    ],
    ids=["fast disk", "slow disk"],
)
def test_the_bus_on_sqlite_decides_a_small_fast_batch_in_the_callers_loop(
    commands, monkeypatch, inline_seconds, threads
):
    batches, decide = [], commands.bus._decide
    monkeypatch.setattr("commands.bus._INLINE_SECONDS", inline_seconds)

    async def recorded(submissions):
        batches.append((threading.current_thread().name, len(submissions)))
        return await decide(submissions)

    monkeypatch.setattr(commands.bus, "_decide", recorded)

    async def run(count):
        submissions = [commands.submission("project.create", name="p") for _ in range(count)]
        return await asyncio.gather(*(commands.bus.execute([each]) for each in submissions))

    for count in (1, 128, 129):
        assert {type(outcome) for (outcome,) in asyncio.run(run(count))} == {Accepted}
    assert batches == threads


def commit_of(commands, project, count):
    changes = tuple(ChangeInput(path=f"{n}", status="A", content="") for n in range(count))
    return commands.submission(
        "commit.record",
        target=project,
        message="m",
        author=AuthorInput(name="a"),
        authored_at="2026-01-01T00:00:00Z",
        changes=changes,
    )


def test_a_command_that_takes_long_is_not_decided_in_the_callers_loop(commands, monkeypatch):
    """A commit of many files is one command, and would keep the loop from everybody else for seconds."""
    threads, decide = [], commands.bus._decide
    monkeypatch.setattr("commands.bus._INLINE_SECONDS", float("inf"))

    async def recorded(submissions):
        threads.append(threading.current_thread().name)
        return await decide(submissions)

    monkeypatch.setattr(commands.bus, "_decide", recorded)
    project = commands.project()
    threads.clear()
    large = commands.submission("file.write", target=project, path="large", content="x" * 1_000_000)
    for submission in (commit_of(commands, project, 127), commit_of(commands, project, 128), large):
        (outcome,) = asyncio.run(commands.bus.execute([submission]))
        assert isinstance(outcome, Accepted)
    assert threads == ["MainThread", "command-bus", "command-bus"]


def test_a_batch_ends_before_a_command_with_which_it_would_take_long(commands, submissions):
    """What came earlier does not wait until somebody's large commits are stored."""
    bus, project = QueuedBus(Decider().decide, lambda: None), commands.project()
    large = commit_of(commands, project, 3_000)
    for each in (submissions[0], large, large, submissions[0]):
        bus.hand_in(Ticket([each], None, None))
    assert [len(bus.queue.take()) for _ in range(5)] == [1, 1, 1, 1, 0]


def test_a_command_in_a_loop_does_not_overtake_one_that_waits_for_the_thread(
    commands, submissions, monkeypatch
):
    monkeypatch.setattr("commands.bus._INLINE_SECONDS", float("inf"))
    commands.bus.queue.wake = lambda: None  # the thread sleeps on
    first = Ticket(submissions[:1], concurrent.futures.Future(), None)
    commands.bus.hand_in(first)

    async def run():
        second = asyncio.ensure_future(commands.bus.execute(submissions[1:2]))
        await asyncio.sleep(0)  # it is handed in
        await asyncio.sleep(0)  # and handed over by the batcher
        commands.bus._woken.set()
        async with asyncio.timeout(stretched(10)):
            return await second

    (later,) = asyncio.run(run())
    (earlier,) = first.future.result(0)
    assert earlier.position.sequence() < later.position.sequence()
