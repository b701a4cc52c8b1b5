"""Turns: of what is read in threads, a few run at once, and each caller's one after the other.

Threads share one interpreter lock with the event loop: several at once that each handle megabytes would keep
all other requests waiting.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _Caller:
    """What one caller has asked for: how much of it is not answered yet, and whose turn it is."""

    def __init__(self) -> None:
        self.unanswered = 0
        self.turn = asyncio.Lock()


class Turns:
    """The turns of all callers."""

    def __init__(self, running: int = 2) -> None:
        """Let *running* callers have their turns at once."""
        self._running = asyncio.Semaphore(running)
        self._callers: dict[str, _Caller] = {}

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """Wait for the next turn of *caller*, which lasts as long as the block."""
        known = self._callers.setdefault(caller, _Caller())
        known.unanswered += 1
        try:
            async with known.turn, self._running:
                yield
        finally:
            known.unanswered -= 1
            if known.unanswered == 0:
                del self._callers[caller]
