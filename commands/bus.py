"""The command bus of one partition on SQLite, and what callers know of any bus."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from commands.batch_decider import DecidedBatch, decide_batch, settled_outcomes
from commands.batcher import Batcher
from commands.log import EventLog, LogUnavailableError, Tip, TipMovedError
from commands.outcomes import Accepted, Outcome, Submission, Unavailable
from commands.position import Position
from commands.queue import BusyError
from commands.queued_bus import QueuedBus, Ticket, unavailable
from commands.spans import SQLITE, appending, deciding
from commands.unit_of_work import SettledStates
from domain.times import Clock, system_clock
from telemetry.instruments import CONFLICTS

__all__ = ["Bus", "BusyError", "CommandBus", "accepted"]

_TRIES = 5
_INLINE_WEIGHT = 128
_INLINE_SECONDS = 0.025
_WEIGHT = 0.2


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
        """Do as `execute` from a thread without a loop, within *timeout* seconds."""
        ...

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        ...


class CommandBus(QueuedBus):
    """Decides a batch and appends it in one transaction: in the caller's loop if quick, or in a thread."""

    def __init__(self, log: EventLog, clock: Clock = system_clock) -> None:
        """Start the bus's thread over *log*."""
        self._log = log
        self._clock = clock
        self._states = SettledStates(log)
        super().__init__(self._decide_and_append, self._states.forget)
        self._deciding = threading.Lock()
        self._batcher: Batcher[Ticket] = Batcher(self._decide_here)
        self._seconds = 0.0
        self._woken = threading.Event()
        self.queue.wake = self._woken.set
        self._thread = threading.Thread(target=self._run, name="command-bus", daemon=True)
        self._thread.start()

    def hand_in(self, ticket: Ticket) -> None:
        """Let *ticket* wait: from a loop, for others that arrive with it; from a thread, for the bus."""
        if ticket.loop is None:
            self.queue.put(ticket)
        else:
            self.queue.admit(ticket)
            self._batcher.add(ticket.loop, ticket)

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then end the thread."""
        self.queue.close()
        self._thread.join(timeout)

    def _decide_here(self, tickets: list[Ticket]) -> None:
        """Decide what arrived together in an event loop: here while that is quick, else in the bus's thread.

        To hand a batch to another thread and back takes longer than a small batch itself; a large one, or a
        slow disk, would keep the event loop from everybody else.
        """
        here = asyncio.get_running_loop()
        weight = sum(ticket.weight for ticket in tickets)
        quick = weight <= _INLINE_WEIGHT and self._seconds < _INLINE_SECONDS
        if quick and self.queue.empty and self._deciding.acquire(blocking=False):
            try:
                _run_to_the_end(self.carry_out(tickets, here))
            finally:
                self._deciding.release()
            return
        try:
            self.queue.line_up(tickets)
        except BusyError as error:  # the thread has ended
            submissions = [submission for ticket in tickets for submission in ticket.submissions]
            self.answer(tickets, unavailable(submissions, str(error)), here)

    def _run(self) -> None:
        while True:
            tickets = self.queue.take()
            if tickets:
                with self._deciding:
                    _run_to_the_end(self.carry_out(tickets))
            elif self.queue.ended:
                return
            else:
                self._woken.wait()
                self._woken.clear()

    async def _decide_and_append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        started = time.perf_counter()
        try:
            for _ in range(_TRIES):
                tip = self._log.tip()
                now = max(self._clock(), tip.occurred_at)
                with deciding(submissions, self._log.number):
                    decided = decide_batch(self._states, self._log, submissions, now)
                try:
                    return self._append(tip, decided)
                except TipMovedError:
                    CONFLICTS.inc()
                    self._states.forget()
        finally:
            self._seconds += _WEIGHT * (time.perf_counter() - started - self._seconds)
        raise LogUnavailableError(f"another writer was faster {_TRIES} times")

    def _append(self, tip: Tip, decided: DecidedBatch) -> list[Outcome]:
        if not decided.appends:
            return settled_outcomes(decided, (), Position.at(tip.sequence, tip.chain, decided.partition))
        with appending(decided.appends, self._log.number, SQLITE) as commands:
            records = self._log.append(tip, commands, decided.batch.due_snapshots())
        self._states.settle(decided.batch.changed)
        last = records[-1]
        return settled_outcomes(decided, records, Position.at(last.sequence, last.chain, decided.partition))


def _run_to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* in one step: on SQLite, nothing in it waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("a batch on SQLite waited for something")


def accepted(outcome: Outcome) -> Accepted:
    """Return *outcome* where the command was accepted; raise the refusal or LogUnavailableError."""
    if isinstance(outcome, Accepted):
        return outcome
    if isinstance(outcome, Unavailable):
        raise LogUnavailableError(outcome.reason)
    raise outcome.refusal
