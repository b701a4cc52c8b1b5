"""How far the read models are, and waiting until they are far enough."""

import asyncio
import heapq
import threading
import time
from collections.abc import Iterable
from itertools import count

from projections.store import StoreUnavailableError

_SCOPES = 1_000


class NotCaughtUpError(StoreUnavailableError):
    """A read model does not include the position asked for in time."""


class BlockedError(StoreUnavailableError):
    """A read model cannot include the position: an event of the stream is among the dead letters."""


class Progress:
    """What each read model includes. Runners report from their threads; queries wait in their event loop.

    A *scope* narrows a wait: a model that reads only some events (insights) reports which scopes it still has to
    work for, so that a query about one project does not wait for another.
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self._sequences: dict[str, int] = {}
        self._blocked: dict[str, frozenset[str]] = {}
        self._touched: dict[str, dict[str, int]] = {}
        self._floors: dict[str, int] = {}
        self._waiting: list[tuple[int, int, str, asyncio.Future[None]]] = []
        self._order = count()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters in *loop*."""
        self._loop = loop

    def sequence(self, model: str) -> int:
        """Return the sequence that *model* includes."""
        return self._sequences.get(model, 0)

    def models(self) -> dict[str, int]:
        """Return what every model includes."""
        return dict(self._sequences)

    def blocked(self, model: str) -> frozenset[str]:
        """Return the streams of *model* that a dead letter blocks."""
        return self._blocked.get(model, frozenset())

    def report(self, sequences: dict[str, int], blocked: dict[str, frozenset[str]] | None = None) -> None:
        """Say how far models are; from any thread."""
        with self._lock:
            self._sequences.update(sequences)
            self._blocked.update(blocked or {})
            waiting = bool(self._waiting)
        if waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def touch(self, model: str, scopes: Iterable[tuple[str, int]]) -> None:
        """Say that *model* has to work for these scopes up to these sequences."""
        with self._lock:
            touched = self._touched.setdefault(model, {})
            done = self._sequences.get(model, 0)
            for scope, sequence in scopes:
                touched[scope] = sequence
            if len(touched) > _SCOPES:
                self._touched[model] = {scope: at for scope, at in touched.items() if at > done}

    def needed(self, model: str, scope: str, sequence: int) -> int:
        """Return how far *model* must be so that an answer about *scope* includes *sequence*."""
        floor = self._floors.get(model, 0)
        return min(self._touched.get(model, {}).get(scope, floor), sequence)

    def assume_touched(self, model: str, sequence: int) -> None:
        """Say that up to *sequence* any scope may have work for *model*: what came before the start is not known."""
        self._floors[model] = sequence

    async def wait(self, models: Iterable[str], sequence: int, timeout: float) -> None:
        """Wait until all *models* include *sequence*; raises NotCaughtUpError after *timeout* seconds."""
        deadline = 0.0
        for model in models:
            if self._sequences.get(model, 0) < sequence:
                deadline = deadline or time.monotonic() + timeout
                await self._wait(model, sequence, deadline)

    async def _wait(self, model: str, sequence: int, deadline: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._sequences.get(model, 0) >= sequence:
                return
            heapq.heappush(self._waiting, (sequence, next(self._order), model, future))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                await future
        except TimeoutError:
            behind = sequence - self._sequences.get(model, 0)
            raise NotCaughtUpError(f"{model} is {behind} events behind; try again") from None

    def _wake(self) -> None:
        with self._lock:
            highest = max(self._sequences.values(), default=0)
            kept = []
            while self._waiting and self._waiting[0][0] <= highest:
                entry = heapq.heappop(self._waiting)
                sequence, _, model, future = entry
                if future.done():
                    continue
                if self._sequences.get(model, 0) >= sequence:
                    future.set_result(None)
                else:
                    kept.append(entry)
            for entry in kept:
                heapq.heappush(self._waiting, entry)
