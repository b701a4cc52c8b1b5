"""What every command bus does around its decisions: take commands from loops and threads, and answer."""

import asyncio
import concurrent.futures
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog

from commands.log import LogCorruptError, LogUnavailableError
from commands.outcomes import Outcome, Refused, Submission, Unavailable
from commands.queue import WorkQueue
from domain.errors import Refusal

BATCH_COMMANDS = 1_000
WAITING_COMMANDS = 20_000

Decide = Callable[[Sequence[Submission]], Awaitable[list[Outcome]]]

logger = structlog.get_logger(__name__)


class Ticket:
    """Submissions that were handed in together, and the future that gets their outcomes."""

    __slots__ = ("count", "future", "loop", "outcomes", "submissions", "weight")

    def __init__(
        self,
        submissions: Sequence[Submission],
        future: "asyncio.Future[list[Outcome]] | concurrent.futures.Future[list[Outcome]]",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        """Resolve *future* in *loop*, or where it belongs to none, from any thread."""
        self.submissions = submissions
        self.count = len(submissions)
        self.weight = sum(submission.command.weight for submission in submissions)
        self.future = future
        self.loop = loop
        self.outcomes: list[Outcome] = []


class QueuedBus:
    """A bus whose commands wait in a queue until a worker decides them, a batch at a time."""

    def __init__(self, decide: Decide, forget: Callable[[], None]) -> None:
        """Await *decide* with each batch; call *forget* after a failure: the known states may be wrong."""
        self._decide = decide
        self._forget = forget
        self.queue: WorkQueue[Ticket] = WorkQueue(
            group=BATCH_COMMANDS,
            waiting=WAITING_COMMANDS,
            size=lambda ticket: ticket.weight,
            group_size=BATCH_COMMANDS,
        )

    @property
    def waiting(self) -> int:
        """Return how many commands wait or are being decided."""
        return self.queue.waiting

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions* in order and return their outcomes; raises BusyError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Outcome]] = loop.create_future()
        self.hand_in(Ticket(submissions, future, loop))
        return await future

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from a thread without a loop, within *timeout* seconds."""
        future: concurrent.futures.Future[list[Outcome]] = concurrent.futures.Future()
        self.hand_in(Ticket(submissions, future, None))
        try:
            return future.result(timeout)
        except TimeoutError:
            return unavailable(submissions, "no answer in time")

    def hand_in(self, ticket: Ticket) -> None:
        """Let *ticket* wait for the worker; raises BusyError."""
        self.queue.put(ticket)

    async def carry_out(
        self, tickets: Sequence[Ticket], here: asyncio.AbstractEventLoop | None = None
    ) -> None:
        """Decide *tickets* as one batch and answer them; *here* is the loop that this runs in, if any."""
        outcomes = await self._outcomes(
            [submission for ticket in tickets for submission in ticket.submissions]
        )
        self.answer(tickets, outcomes, here)

    def answer(
        self,
        tickets: Sequence[Ticket],
        outcomes: Sequence[Outcome],
        here: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Give each ticket its outcomes; each loop is woken once for all of its tickets."""
        by_loop: dict[asyncio.AbstractEventLoop | None, list[Ticket]] = defaultdict(list)
        start = 0
        for ticket in tickets:
            end = start + ticket.count
            ticket.outcomes = list(outcomes[start:end])
            by_loop[ticket.loop].append(ticket)
            start = end
        self.queue.release(tickets)
        for loop, answered in by_loop.items():
            if loop is None or loop is here:
                _resolve(answered)
                continue
            try:
                loop.call_soon_threadsafe(_resolve, answered)
            except RuntimeError:  # the caller's loop has ended; the outcomes are in the log
                logger.info("answers dropped", commands=sum(ticket.count for ticket in answered))

    async def _outcomes(self, submissions: Sequence[Submission]) -> list[Outcome]:
        try:
            return await self._decide(submissions)
        except (LogUnavailableError, LogCorruptError) as error:
            self._forget()
            logger.error("log unavailable", reason=str(error), commands=len(submissions))
            return unavailable(submissions, str(error))
        except Refusal as refusal:  # of the log itself: the person was erased, or the events are too large
            self._forget()
            if len(submissions) == 1:
                return [Refused(command_id=submissions[0].command_id, refusal=refusal)]
        except Exception as error:  # a fault of ours must not end the bus for everybody
            self._forget()
            if len(submissions) == 1:
                logger.exception("command failed", command=submissions[0].command.NAME)
                return unavailable(submissions, f"internal error: {type(error).__name__}")
        # One command of the batch is at fault: its neighbours must not fail with it.
        return [outcome for submission in submissions for outcome in await self._outcomes([submission])]


def unavailable(submissions: Sequence[Submission], reason: str) -> list[Outcome]:
    """Return that none of *submissions* has an outcome, because of *reason*."""
    return [Unavailable(command_id=submission.command_id, reason=reason) for submission in submissions]


def _resolve(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        if not ticket.future.done():
            ticket.future.set_result(ticket.outcomes)
