"""The command bus: one thread decides what waits, appends it in one batch, and answers."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

import structlog

from commands.batch_decider import DecidedBatch, decide_batch, settled_outcomes
from commands.batcher import Gathering
from commands.log import EventLog, LogCorruptError, LogUnavailableError, Tip, TipMovedError
from commands.outcomes import Accepted, Outcome, Refused, Submission, Unavailable
from commands.position import Position
from commands.unit_of_work import SettledStates
from domain.errors import Refusal
from domain.times import Clock, system_clock

_BATCH_COMMANDS = 1_000
_WAITING_COMMANDS = 20_000
_TRIES = 5
_INLINE_COMMANDS = 128
_INLINE_SECONDS = 0.025
_WEIGHT = 0.2

log_ = structlog.get_logger(__name__)


class BusyError(Exception):
    """More commands wait than will be answered in time; come again later."""


class Bus(Protocol):
    """Carries out commands; every accepted one is durable before it is answered."""

    @property
    def waiting(self) -> int:
        """Return how many commands wait or are being decided."""
        ...

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions* in order and return their outcomes; raises BusyError."""
        ...

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from a thread without a loop."""
        ...

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        ...


class Ticket:
    """Some submissions that were handed in together, and what will be done with their outcomes."""

    __slots__ = ("outcomes", "settled", "submissions")

    def __init__(self, submissions: Sequence[Submission], settled: Callable[["Ticket"], None]) -> None:
        """Call *settled* from the bus thread when all outcomes are known."""
        self.submissions = submissions
        self.settled = settled
        self.outcomes: list[Outcome] = []


class CommandBus:
    """Decide and append the commands of one partition; every accepted command is durable before it is answered."""

    def __init__(self, log: EventLog, clock: Clock = system_clock) -> None:
        """Start the bus's thread over *log*."""
        self._log = log
        self._clock = clock
        self._view = SettledStates(log)
        self._queue: SimpleQueue[Ticket | None] = SimpleQueue()
        self._waiting = 0
        self._counter = threading.Lock()
        self._deciding = threading.Lock()
        self._gathering: Gathering[Ticket] = Gathering(self._decide_here)
        self._seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="command-bus", daemon=True)
        self._closed = False
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many commands wait or are being decided."""
        return self._waiting

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions* in order and return their outcomes; raises BusyError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Outcome]] = loop.create_future()

        def settled(ticket: Ticket) -> None:
            if threading.get_ident() == owner:
                _resolve(future, ticket.outcomes)
            else:
                _call(loop, future, ticket.outcomes)

        owner = threading.get_ident()
        self._count(len(submissions))
        self._gathering.add(loop, Ticket(submissions, settled))
        return await future

    def _decide_here(self, tickets: list[Ticket]) -> None:
        """Decide what the event loop gathered: here while that is quick, in the bus's thread otherwise.

        Handing a batch to another thread and back costs more than a small batch itself; a large one, or a slow
        disk, would keep the event loop from everybody else.
        """
        commands = sum(len(ticket.submissions) for ticket in tickets)
        quick = commands <= _INLINE_COMMANDS and self._seconds < _INLINE_SECONDS and self._queue.empty()
        if quick and self._deciding.acquire(blocking=False):
            try:
                self._carry_out(tickets)
            finally:
                self._deciding.release()
        else:
            for ticket in tickets:
                self._queue.put(ticket)

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from another thread, within *timeout* seconds."""
        done = threading.Event()
        ticket = Ticket(submissions, lambda _: done.set())
        self._count(len(submissions))
        self._queue.put(ticket)
        if not done.wait(timeout):
            return [Unavailable(command_id=s.command_id, reason="no answer in time") for s in submissions]
        return ticket.outcomes

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then end the thread."""
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout)

    def _count(self, commands: int) -> None:
        if self._closed:
            raise BusyError("the server is stopping")
        with self._counter:
            if self._waiting > _WAITING_COMMANDS:
                raise BusyError(f"{self._waiting} commands are waiting")
            self._waiting += commands

    def _run(self) -> None:
        ended = False
        while not ended:
            tickets, ended = self._next_tickets()
            if not tickets:
                continue
            with self._deciding:
                self._carry_out(tickets)

    def _carry_out(self, tickets: Sequence[Ticket]) -> None:
        started = time.perf_counter()
        outcomes = self._outcomes([submission for ticket in tickets for submission in ticket.submissions])
        self._seconds += _WEIGHT * (time.perf_counter() - started - self._seconds)
        self._answer(tickets, outcomes)

    def _next_tickets(self) -> tuple[list[Ticket], bool]:
        """Wait for a ticket, then take all that wait, up to a batch; tell whether the bus is to end."""
        ticket = self._queue.get()
        tickets: list[Ticket] = []
        count = 0
        while ticket is not None:
            tickets.append(ticket)
            count += len(ticket.submissions)
            if count >= _BATCH_COMMANDS:
                return tickets, False
            try:
                ticket = self._queue.get_nowait()
            except Empty:
                return tickets, False
        return tickets, True

    def _outcomes(self, submissions: Sequence[Submission]) -> list[Outcome]:
        try:
            return self._decide_and_append(submissions)
        except (LogUnavailableError, LogCorruptError) as error:
            log_.error("log unavailable", reason=str(error), commands=len(submissions))
            reason = str(error)
        except Refusal as refusal:  # the log itself refuses: it is about somebody who was erased
            if len(submissions) > 1:
                return self._one_by_one(submissions)
            self._view.forget()
            return [Refused(command_id=submissions[0].command_id, refusal=refusal)]
        except Exception as error:  # a fault of ours must not end the bus for everybody
            if len(submissions) > 1:
                return self._one_by_one(submissions)
            log_.exception("command failed", command=submissions[0].command.NAME)
            reason = f"internal error: {type(error).__name__}"
        self._view.forget()
        return [Unavailable(command_id=submission.command_id, reason=reason) for submission in submissions]

    def _one_by_one(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Find the one command that fails, so that its neighbours do not."""
        self._view.forget()
        return [outcome for submission in submissions for outcome in self._outcomes([submission])]

    def _decide_and_append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        for _ in range(_TRIES):
            tip = self._log.tip()
            now = max(self._clock(), tip.occurred_at)
            decided = decide_batch(self._view, self._log, submissions, now)
            try:
                return self._append(tip, decided)
            except TipMovedError:
                self._view.forget()
        raise LogUnavailableError(f"another writer was faster {_TRIES} times")

    def _append(self, tip: Tip, decided: DecidedBatch) -> list[Outcome]:
        if not decided.appends:
            return settled_outcomes(decided, (), Position.at(tip.sequence, tip.chain, decided.partition))
        records = self._log.append(tip, decided.appends, decided.batch.due_snapshots())
        self._view.settle(decided.batch.changed)
        last = records[-1]
        return settled_outcomes(decided, records, Position.at(last.sequence, last.chain, decided.partition))

    def _answer(self, tickets: Sequence[Ticket], outcomes: Sequence[Outcome]) -> None:
        start = 0
        for ticket in tickets:
            end = start + len(ticket.submissions)
            ticket.outcomes = list(outcomes[start:end])
            start = end
            ticket.settled(ticket)
        with self._counter:
            self._waiting -= start


def _resolve(future: asyncio.Future[list[Outcome]], outcomes: list[Outcome]) -> None:
    if not future.done():
        future.set_result(outcomes)


def _call(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[Outcome]], outcomes: list[Outcome]
) -> None:
    try:
        loop.call_soon_threadsafe(_resolve, future, outcomes)
    except RuntimeError:  # the caller's loop has ended; the outcome is in the log
        log_.info("answers dropped", commands=len(outcomes))


def accepted(outcome: Outcome) -> Accepted:
    """Return *outcome* where the command was accepted; raise the refusal or LogUnavailableError."""
    if isinstance(outcome, Accepted):
        return outcome
    if isinstance(outcome, Unavailable):
        raise LogUnavailableError(outcome.reason)
    raise outcome.refusal
