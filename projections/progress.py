"""How far the read models are, and waiting until they are far enough."""

import asyncio
import heapq
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import count

from projections.store import StoreUnavailableError

_SCOPES = 1_000
_NONE: frozenset[str] = frozenset()
_order = count()


class NotCaughtUpError(StoreUnavailableError):
    """A read model does not include the position asked for in time."""


class BlockedError(StoreUnavailableError):
    """A read model cannot include the position: an event of the stream is among the dead letters."""


class _Part:
    """What is known of one partition, by model; *waiting* is a heap by sequence."""

    def __init__(self) -> None:
        self.sequences: dict[str, int] = {}
        self.blocked: dict[str, frozenset[str]] = {}
        self.touched: dict[str, dict[str, int]] = {}
        self.floors: dict[str, int] = {}
        self.waiting: list[tuple[int, int, str, asyncio.Future[None]]] = []


class Progress:
    """What each read model includes. Runners report from their threads; queries wait in their event loop.

    What is to be included is told by partition, as a map of sequences. A *scope* narrows a wait: a model that reads
    only some events (insights) reports which scopes it still has to work for, so that a query about one project does
    not wait for another; a scope belongs to one partition.
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self._parts: dict[int, _Part] = {0: _Part()}
        self._blocked: set[int] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters in *loop*."""
        self._loop = loop

    def sequence(self, model: str, partition: int = 0) -> int:
        """Return the sequence that *model* includes."""
        return self._part(partition).sequences.get(model, 0)

    def models(self, partition: int = 0) -> dict[str, int]:
        """Return what every model includes."""
        return dict(self._part(partition).sequences)

    def blocked(self, model: str, partition: int | None = None) -> frozenset[str]:
        """Return the streams of *model* in *partition* (None: in any) that a dead letter blocks."""
        parts = self._parts
        if partition is None and len(parts) > 1:
            return _NONE.union(*(part.blocked.get(model, _NONE) for part in list(parts.values())))
        part = parts.get(partition or 0)
        return _NONE if part is None else part.blocked.get(model, _NONE)

    @property
    def has_blocked_streams(self) -> bool:
        """Return whether a dead letter blocks any stream of any model."""
        return bool(self._blocked)

    def report(
        self,
        sequences: Mapping[str, int],
        blocked: Mapping[str, frozenset[str]] | None = None,
        partition: int = 0,
    ) -> None:
        """Say how far models are in *partition*; from any thread."""
        part = self._part(partition)
        with self._lock:
            part.sequences.update(sequences)
            if blocked:
                part.blocked.update(blocked)
                if any(part.blocked.values()):
                    self._blocked.add(partition)
                else:
                    self._blocked.discard(partition)
            waiting = bool(part.waiting)
        if waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, part)

    def touch(self, model: str, scopes: Iterable[tuple[str, int]], partition: int = 0) -> None:
        """Say that *model* has to work for these scopes up to these sequences."""
        part = self._part(partition)
        with self._lock:
            touched = part.touched.setdefault(model, {})
            done = part.sequences.get(model, 0)
            for scope, sequence in scopes:
                touched[scope] = sequence
            if len(touched) > _SCOPES:
                part.touched[model] = {scope: at for scope, at in touched.items() if at > done}

    def needed(self, model: str, scope: str, sequence: int, partition: int = 0) -> int:
        """Return how far *model* must be so that an answer about *scope* includes *sequence*."""
        part = self._part(partition)
        floor = part.floors.get(model, 0)
        return min(part.touched.get(model, {}).get(scope, floor), sequence)

    def assume_touched(self, model: str, sequence: int, partition: int = 0) -> None:
        """Say that up to *sequence* any scope may have work for *model*: what came before the start is not known."""
        self._part(partition).floors[model] = sequence

    async def wait(self, models: Iterable[str], needed: Mapping[int, int], timeout: float) -> None:
        """Wait until all *models* include the sequences *needed*; raises NotCaughtUpError after *timeout* seconds."""
        deadline = 0.0
        for partition, sequence in needed.items():
            part = self._part(partition)
            sequences = part.sequences
            for model in models:
                if sequences.get(model, 0) < sequence:
                    deadline = deadline or time.monotonic() + timeout
                    await self._wait(part, model, sequence, deadline)

    async def _wait(self, part: _Part, model: str, sequence: int, deadline: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if part.sequences.get(model, 0) >= sequence:
                return
            heapq.heappush(part.waiting, (sequence, next(_order), model, future))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                await future
        except TimeoutError:
            behind = sequence - part.sequences.get(model, 0)
            raise NotCaughtUpError(f"{model} is {behind} events behind; try again") from None

    def _part(self, partition: int) -> _Part:
        found = self._parts.get(partition)
        return found if found is not None else self._parts.setdefault(partition, _Part())

    def _wake(self, part: _Part) -> None:
        with self._lock:
            highest = max(part.sequences.values(), default=0)
            kept = []
            while part.waiting and part.waiting[0][0] <= highest:
                entry = heapq.heappop(part.waiting)
                sequence, _, model, future = entry
                if future.done():
                    continue
                if part.sequences.get(model, 0) >= sequence:
                    future.set_result(None)
                else:
                    kept.append(entry)
            for entry in kept:
                heapq.heappush(part.waiting, entry)
