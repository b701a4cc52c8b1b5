"""Turns: of what is read in threads, a few run at once, and each caller's requests one after the other.

Threads share one interpreter lock with the event loop: several at once that each handle megabytes would keep
all other requests waiting. And the pages of many requests at once would fill the memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from projections.budget import Budget


class _Caller:
    """What one caller has asked for: how many requests are not answered yet, and whose turn it is."""

    def __init__(self) -> None:
        self.unanswered = 0
        self.turn = asyncio.Lock()


class Turns:
    """The turns of all callers."""

    def __init__(self, running: int = 2) -> None:
        """Let *running* of what has its turn run at once."""
        self._running = asyncio.Semaphore(running)
        self._callers: dict[str, _Caller] = {}

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
        known = self._callers.setdefault(caller, _Caller())
        known.unanswered += 1
        try:
            await known.turn.acquire()
        except asyncio.CancelledError:
            self._leave(caller, known)
            raise

        def end() -> None:
            known.turn.release()
            self._leave(caller, known)

        request.begin_turn(end)

    def _leave(self, caller: str, known: _Caller) -> None:
        known.unanswered -= 1
        if known.unanswered == 0:
            del self._callers[caller]
