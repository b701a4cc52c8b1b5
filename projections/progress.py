"""How far the read models are, and waiting until they are far enough."""

import asyncio
import heapq
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import count

from projections.store import StoreUnavailableError
from telemetry import tracing
from telemetry.instruments import READ_WAIT_SECONDS

_SCOPES = 1_000
_NO_STREAMS: frozenset[str] = frozenset()
_order = count()


class NotCaughtUpError(StoreUnavailableError):
    """A read model does not include the required position in time."""


class BlockedError(StoreUnavailableError):
    """A read model cannot include the position: an event of the stream is among the dead letters."""


class _PartitionProgress:
    """What is known of one partition, by model; *waiting* is a heap by sequence.

    *newest* is the highest sequence in *touched* and *floors*: a model that is there has no work anywhere.
    """

    def __init__(self) -> None:
        self.sequences: dict[str, int] = {}
        self.blocked: dict[str, frozenset[str]] = {}
        self.touched: dict[str, dict[str, int]] = {}
        self.floors: dict[str, int] = {}
        self.newest: dict[str, int] = {}
        self.waiting: list[tuple[int, int, str, asyncio.Future[None]]] = []


class Progress:
    """The sequences that read models include. Runners report from threads; queries wait in their event loop.

    A required position is a map from partitions to sequences. A *scope* narrows a wait: a model that reads
    only some events (insights) reports the scopes for which it still has work, so that a query about one
    project does not wait for another. A scope belongs to one partition.
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self._partitions: dict[int, _PartitionProgress] = {0: _PartitionProgress()}
        self._blocked: set[int] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiting queries in *loop*."""
        self._loop = loop

    def sequence(self, model: str, partition: int = 0) -> int:
        """Return the sequence that *model* includes."""
        return self._of(partition).sequences.get(model, 0)

    def models(self, partition: int = 0) -> dict[str, int]:
        """Return the sequence that each model includes."""
        return dict(self._of(partition).sequences)

    def blocked(self, model: str, partition: int | None = None) -> frozenset[str]:
        """Return the streams of *model* in *partition* (None: in any) that a dead letter blocks."""
        partitions = self._partitions
        if partition is None and len(partitions) > 1:
            return _NO_STREAMS.union(
                *(known.blocked.get(model, _NO_STREAMS) for known in list(partitions.values()))
            )
        known = partitions.get(partition or 0)
        return _NO_STREAMS if known is None else known.blocked.get(model, _NO_STREAMS)

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
        """Report how far models are in *partition*, and their blocked streams; callable from any thread."""
        known = self._of(partition)
        with self._lock:
            known.sequences.update(sequences)
            if blocked:
                known.blocked.update(blocked)
                if any(known.blocked.values()):
                    self._blocked.add(partition)
                else:
                    self._blocked.discard(partition)
            waiting = bool(known.waiting)
        if waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, known)

    def touch(self, model: str, scopes: Iterable[tuple[str, int]], partition: int = 0) -> None:
        """Report scopes for which *model* has work, each with the sequence of the event that causes it."""
        known = self._of(partition)
        with self._lock:
            touched = known.touched.setdefault(model, {})
            reached = known.sequences.get(model, 0)
            for scope, sequence in scopes:
                touched[scope] = max(sequence, touched.get(scope, 0))
                known.newest[model] = max(sequence, known.newest.get(model, 0))
            if len(touched) > _SCOPES:
                known.touched[model] = {
                    scope: sequence for scope, sequence in touched.items() if sequence > reached
                }

    def needed(self, model: str, scope: str, sequence: int, partition: int = 0) -> int:
        """Return what *model* must include so that an answer about *scope* includes *sequence*."""
        known = self._of(partition)
        floor = known.floors.get(model, 0)
        return min(known.touched.get(model, {}).get(scope, floor), sequence)

    def has_pending(self, model: str) -> bool:
        """Return whether *model* has work in any scope that it does not include yet."""
        for known in list(self._partitions.values()):  # a loop: every query of a project comes here
            if known.newest.get(model, 0) > known.sequences.get(model, 0):
                return True
        return False

    def pending(self, model: str, scope: str, partition: int = 0) -> bool:
        """Return whether *model* has work in *scope* that it does not include yet."""
        known = self._of(partition)
        reached = known.sequences.get(model, 0)
        if reached >= known.newest.get(model, 0):
            return False
        return known.touched.get(model, {}).get(scope, known.floors.get(model, 0)) > reached

    def assume_touched(self, model: str, sequence: int, partition: int = 0) -> None:
        """Assume work for *model* in every scope through *sequence*: at the start, none is known."""
        known = self._of(partition)
        known.floors[model] = sequence
        known.newest[model] = max(sequence, known.newest.get(model, 0))

    async def wait(self, models: Iterable[str], needed: Mapping[int, int], timeout: float) -> None:
        """Wait until all *models* include *needed*; raises NotCaughtUpError after *timeout* seconds."""
        deadline = 0.0
        for partition, sequence in needed.items():
            known = self._of(partition)
            sequences = known.sequences
            for model in models:
                if sequences.get(model, 0) < sequence:
                    deadline = deadline or time.monotonic() + timeout
                    await self._wait(known, model, sequence, deadline)

    async def _wait(self, known: _PartitionProgress, model: str, sequence: int, deadline: float) -> None:
        began = time.perf_counter()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if known.sequences.get(model, 0) >= sequence:
                return
            heapq.heappush(known.waiting, (sequence, next(_order), model, future))
        try:
            with tracing.part("wait for read models", attributes={"codepark.models": model}):
                async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                    await future
        except TimeoutError:
            missing = sequence - known.sequences.get(model, 0)
            raise NotCaughtUpError(f"{model} is {missing} events behind; try again") from None
        finally:
            READ_WAIT_SECONDS.observe(time.perf_counter() - began)

    def _of(self, partition: int) -> _PartitionProgress:
        known = self._partitions.get(partition)
        return known if known is not None else self._partitions.setdefault(partition, _PartitionProgress())

    def _wake(self, known: _PartitionProgress) -> None:
        with self._lock:
            highest = max(known.sequences.values(), default=0)
            still_waiting = []
            while known.waiting and known.waiting[0][0] <= highest:
                entry = heapq.heappop(known.waiting)
                sequence, _, model, future = entry
                if future.done():
                    continue
                if known.sequences.get(model, 0) >= sequence:
                    future.set_result(None)
                else:
                    still_waiting.append(entry)
            for entry in still_waiting:
                heapq.heappush(known.waiting, entry)
