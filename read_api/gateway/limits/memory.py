"""A limiter of one process, in its memory."""

import time
from collections.abc import Callable, Sequence

from read_api.gateway.limits.gcra import Bucket, Decision
from read_api.gateway.limits.limiter import Lease

_FIRST_SWEEP = 10_000
"""With so many buckets the full ones are dropped for the first time."""


def monotonic_microseconds() -> int:
    """Return the time in microseconds of a clock that never goes back."""
    return time.monotonic_ns() // 1_000


class MemoryLimiter:
    """Count in this process. No method waits in its middle, so two tasks never take the same request."""

    def __init__(self, clock: Callable[[], int] = monotonic_microseconds) -> None:
        """Count by *clock*, which returns microseconds and never goes back."""
        self._clock = clock
        self._full_at: dict[str, int] = {}
        self._debts: dict[str, int] = {}
        self._sockets: dict[str, set[str]] = {}
        self._leases = 0
        self._sweep_at = _FIRST_SWEEP

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take requests from all of *buckets*, or from none where one of them has too few."""
        now = self._clock()
        backlogs = [self._backlog(bucket, now) for bucket in buckets]
        wait = max(bucket.wait(backlog) for backlog, bucket in zip(backlogs, buckets, strict=True))
        if not wait:
            for number, bucket in enumerate(buckets):
                backlogs[number] += bucket.cost
                self._full_at[bucket.key] = now + backlogs[number]
                if backlogs[number] > bucket.limit.capacity:
                    self._debts[bucket.key] = backlogs[number]
            if len(self._full_at) > self._sweep_at:
                self._sweep(now)
        return Decision(wait, tuple(backlogs), tuple(bucket.limit for bucket in buckets))

    def _backlog(self, bucket: Bucket, now: int) -> int:
        """Return the backlog, at most the capacity or the debt that is known: a limit may have changed."""
        backlog = max(self._full_at.get(bucket.key, 0) - now, 0)
        if backlog > bucket.limit.capacity:
            return min(backlog, max(bucket.limit.capacity, self._debts.get(bucket.key, 0)))
        if self._debts:
            self._debts.pop(bucket.key, None)  # it is paid
        return backlog

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*; return None where it has *most* already."""
        held = self._sockets.setdefault(key, set())
        if len(held) >= most:
            return None
        self._leases += 1
        lease = Lease(key, str(self._leases))
        held.add(lease.id)
        return lease

    async def leave(self, lease: Lease) -> None:
        """Stop counting a socket."""
        held = self._sockets.get(lease.key, set())
        held.discard(lease.id)
        if not held:
            self._sockets.pop(lease.key, None)

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""

    def _sweep(self, now: int) -> None:
        """Drop full buckets, which are the same as none; sweep again at twice the number that remains."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._debts = {key: debt for key, debt in self._debts.items() if key in self._full_at}
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._full_at))
