"""Questions about the past: a few at once, a part of them for each caller, each ends with its request."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Protocol, TypeVar

from read_api.callers import Caller, Callers
from read_api.problems import unavailable
from read_api.query_services import Queries

T = TypeVar("T")

_RUNNING = 2
_WAITING = 16
_EACH = 4


class WorkEndedError(Exception):
    """The request that a thread works for has ended."""


class Work:
    """What a thread does for one request: it asks `step` before each part, and so ends with the request.

    *insight_seconds* is how long it may measure files for insights. *insights_pending* is set where that was
    not enough.
    """

    def __init__(self, insight_seconds: float = 1.0) -> None:
        """Begin the work for a request."""
        self.insight_seconds = insight_seconds
        self.insights_pending = False
        self._ended = threading.Event()

    def end(self) -> None:
        """Let the next `step` stop the work."""
        self._ended.set()

    def step(self) -> None:
        """Raise WorkEndedError once the request has ended."""
        if self._ended.is_set():
            raise WorkEndedError("the request has ended")


class Past(Protocol):
    """Knows projects as they were."""

    def queries(self, project_id: str, sequence: int, work: Work) -> Queries:
        """Return queries over a project as it was at *sequence* of its partition."""
        ...

    def authored_by(self, project_id: str, time: int, work: Work) -> int | None:
        """Return the last event of the last commit that, with all before it, was authored by *time*."""
        ...


class PastAnswers:
    """Answer questions about projects as they were in threads, each caller's one after the other."""

    def __init__(
        self, past: Past, *, running: int = _RUNNING, waiting: int = _WAITING, each: int = _EACH
    ) -> None:
        """Ask *past*.

        *running* questions are worked on at once and *waiting* more may wait; one caller may have *each* of
        these places, and one question that is worked on.
        """
        self.past = past
        self._running = asyncio.Semaphore(running)
        self._places = running + waiting
        self._each = each
        self._callers = Callers()

    async def ask(
        self,
        caller: str,
        project_id: str,
        sequence: int,
        ask: Callable[[Queries], T],
        work: Work | None = None,
    ) -> T:
        """Ask for *caller* about a project as of *sequence* of its partition; raises as `run` does."""
        return await self.run(caller, lambda work: ask(self.past.queries(project_id, sequence, work)), work)

    async def run(self, caller: str, do: Callable[[Work], T], work: Work | None = None) -> T:
        """Do something for *caller* in a thread; raises HttpError 503 where too many wait.

        Where the request is cancelled, the thread stops at its next step, and its place is free from then on.
        """
        known = self._take_place(caller)
        work = work or Work()
        try:
            async with known.turn:
                await self._running.acquire()
                context = copy_context()  # what the thread reads is on the budget of the request
                thread = asyncio.get_running_loop().run_in_executor(None, lambda: context.run(do, work))
                thread.add_done_callback(lambda _: self._running.release())
                return await asyncio.shield(thread)
        finally:
            work.end()
            self._leave_place(caller)

    def _take_place(self, caller: str) -> Caller:
        if self._callers.unanswered(caller) >= self._each:
            detail = "you have asked several questions about the past that are not answered yet"
            raise unavailable("busy", f"{detail}; try again")
        if self._places == 0:
            raise unavailable("busy", "too many questions about the past are being answered; try again")
        self._places -= 1
        return self._callers.enter(caller)

    def _leave_place(self, caller: str) -> None:
        self._places += 1
        self._callers.leave(caller)
