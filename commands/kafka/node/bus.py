"""The command bus of a node: commands from any loop or thread, decided and appended in the Kafka loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from commands.bus import BusyError
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.node.settlement import Settling
from commands.log import LogCorruptError, LogUnavailableError
from commands.outcomes import Outcome, Refused, Submission, Unavailable
from commands.unit_of_work import SettledStates
from domain.errors import Refusal
from domain.record import Record
from domain.times import Clock, system_clock

_BATCH_COMMANDS = 1_000
_WAITING_COMMANDS = 20_000

logger = structlog.get_logger(__name__)


class _Ticket:
    """Submissions that were handed in together, and where their outcomes go."""

    __slots__ = ("answer", "loop", "submissions")

    def __init__(
        self,
        submissions: Sequence[Submission],
        loop: asyncio.AbstractEventLoop | None,
        answer: Callable[[list[Outcome]], None],
    ) -> None:
        self.submissions = submissions
        self.loop = loop
        self.answer = answer


class KafkaCommandBus:
    """Group what waits, decide it one after the other, append it in one RecordBatch, answer."""

    def __init__(
        self,
        log: KafkaEventLog,
        clock: Clock = system_clock,
        *,
        log_of: Callable[[str], KafkaEventLog] | None = None,
    ) -> None:
        """Work over *log*, in its loop; *log_of* gives the log of another home key where there are several."""
        self._log = log
        self._view = SettledStates(log, log_of=log_of)
        self._settling = Settling(log, self._view, clock, log_of=log_of)
        self._waiting: deque[_Ticket] = deque()
        self._count = 0
        self._counter = threading.Lock()
        self._closed = False
        self._loop = log.thread.loop
        self._woken = False
        self._working: asyncio.Task[None] | None = None
        log.on_foreign(self._changed)

    @property
    def waiting(self) -> int:
        """Return how many commands wait or are being decided."""
        return self._count

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions* in order and return their outcomes; raises BusyError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Outcome]] = loop.create_future()
        self._hand_in(_Ticket(submissions, loop, lambda outcomes: _resolve(future, outcomes)))
        return await future

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from a thread without a loop, within *timeout* seconds."""
        done = threading.Event()
        found: list[Outcome] = []

        def answer(outcomes: list[Outcome]) -> None:
            found.extend(outcomes)
            done.set()

        self._hand_in(_Ticket(submissions, None, answer))
        if not done.wait(timeout):
            return _unavailable(submissions, "no answer in time")
        return found

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        self._closed = True
        self._log.thread.run(self._drained(), timeout)

    async def _drained(self) -> None:
        if self._working is not None:
            await self._working

    def _hand_in(self, ticket: _Ticket) -> None:
        if self._closed:
            raise BusyError("the server is stopping")
        with self._counter:
            if self._count > _WAITING_COMMANDS:
                raise BusyError(f"{self._count} commands are waiting")
            self._count += len(ticket.submissions)
            self._waiting.append(ticket)
            woken, self._woken = self._woken, True
        if not woken:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._working is None or self._working.done():
            self._working = self._loop.create_task(self._work())

    async def _work(self) -> None:
        while tickets := self._next_tickets():
            submissions = [submission for ticket in tickets for submission in ticket.submissions]
            outcomes = await self._outcomes(submissions)
            self._answer(tickets, outcomes)

    def _next_tickets(self) -> list[_Ticket]:
        """Take all that wait, up to a batch; without any, the next one wakes the loop again."""
        tickets: list[_Ticket] = []
        count = 0
        with self._counter:
            while self._waiting and count < _BATCH_COMMANDS:
                tickets.append(self._waiting.popleft())
                count += len(tickets[-1].submissions)
            if not tickets:
                self._woken = False
        return tickets

    async def _outcomes(self, submissions: Sequence[Submission]) -> list[Outcome]:
        try:
            return await self._settling.outcomes(submissions)
        except (LogUnavailableError, LogCorruptError) as error:
            logger.error("log unavailable", reason=str(error), commands=len(submissions))
            reason = str(error)
        except Refusal as refusal:  # the log itself refuses: too large for one batch
            if len(submissions) > 1:
                return await self._one_by_one(submissions)
            return [Refused(command_id=submissions[0].command_id, refusal=refusal)]
        except Exception as error:  # a fault of ours must not end the bus for everybody
            if len(submissions) > 1:
                return await self._one_by_one(submissions)
            logger.exception("command failed", command=submissions[0].command.NAME)
            reason = f"internal error: {type(error).__name__}"
        self._view.forget()
        return _unavailable(submissions, reason)

    async def _one_by_one(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Find the one command that fails, so that its neighbours do not."""
        self._view.forget()
        return [outcome for submission in submissions for outcome in await self._outcomes([submission])]

    def _answer(self, tickets: Sequence[_Ticket], outcomes: Sequence[Outcome]) -> None:
        """Give each ticket its outcomes; a loop is woken once for all of its tickets."""
        by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[_Ticket, list[Outcome]]]] = {}
        start = 0
        for ticket in tickets:
            end = start + len(ticket.submissions)
            by_loop.setdefault(ticket.loop, []).append((ticket, list(outcomes[start:end])))
            start = end
        with self._counter:
            self._count -= start
        for loop, answers in by_loop.items():
            if loop is None:
                _give(answers)
                continue
            try:
                loop.call_soon_threadsafe(_give, answers)
            except RuntimeError:  # the caller's loop has ended; the outcome is in the log
                logger.info("answers dropped", commands=len(answers))

    def _changed(self, records: Sequence[Record]) -> None:
        """Forget what others changed; no records at all means that the replica was made anew."""
        if records:
            self._view.drop(record.stream for record in records)
        else:
            self._view.forget()


def _give(answers: Sequence[tuple[_Ticket, list[Outcome]]]) -> None:
    for ticket, outcomes in answers:
        ticket.answer(outcomes)


def _resolve(future: asyncio.Future[list[Outcome]], outcomes: list[Outcome]) -> None:
    if not future.done():
        future.set_result(outcomes)


def _unavailable(submissions: Sequence[Submission], reason: str) -> list[Outcome]:
    return [Unavailable(command_id=submission.command_id, reason=reason) for submission in submissions]
