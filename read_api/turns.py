"""Turns: of what is read in threads, a few run at once, and each caller's requests one after the other.

Threads share one interpreter lock with the event loop: several at once that each handle megabytes would keep
all other requests waiting. And the pages of many requests at once would fill the memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from projections.budget import Budget
from read_api.callers import Callers


class Turns:
    """The turns of all callers."""

    def __init__(self, running: int = 2) -> None:
        """Let *running* of what has its turn run at once."""
        self._running = asyncio.Semaphore(running)
        self._callers = Callers()

    @asynccontextmanager
    async def of(self, caller: str, request: Budget) -> AsyncIterator[None]:
        """Run the block in a turn of *caller*, which lasts until the *request* ends.

        Raises RequestEndedError where the request has ended while it waited.

        The places of what runs at once are held for the block alone: a request that waits for something else
        keeps nobody but its own caller from the next turn.
        """
        if not request.has_turn:
            await self._begin(caller, request)
        async with self._running:
            yield

    async def _begin(self, caller: str, request: Budget) -> None:
        turn = self._callers.enter(caller).turn
        try:
            await turn.acquire()
        except asyncio.CancelledError:
            self._callers.leave(caller)
            raise

        def end() -> None:
            turn.release()
            self._callers.leave(caller)

        request.begin_turn(end)
