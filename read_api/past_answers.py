"""A bounded number of questions about the past at once: each one projects a project's history into memory."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from read_api.problems import unavailable
from read_api.query_services import Queries

T = TypeVar("T")

_RUNNING = 2
_WAITING = 16


class PastAnswers:
    """Answer questions about projects as they were, a few at a time in threads; one for the process."""

    def __init__(
        self, queries_at: Callable[[str, int], Queries], *, running: int = _RUNNING, waiting: int = _WAITING
    ) -> None:
        """Ask the query objects that *queries_at* makes of a project's history up to a sequence.

        *running* questions are worked on at once, *waiting* more may wait.
        """
        self._queries_at = queries_at
        self._running = asyncio.Semaphore(running)
        self._places = running + waiting

    async def ask(self, project_id: str, sequence: int, ask: Callable[[Queries], T]) -> T:
        """Ask about a project as of *sequence* of its partition; raises HttpError 503 where too many wait."""
        if self._places == 0:
            raise unavailable("busy", "too many questions about the past are being answered; try again")
        self._places -= 1
        try:
            async with self._running:
                return await asyncio.to_thread(lambda: ask(self._queries_at(project_id, sequence)))
        finally:
            self._places += 1
