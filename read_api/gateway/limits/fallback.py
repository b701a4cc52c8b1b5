"""What counts while the shared limiter is away: this process alone, and more strictly."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from read_api.gateway.limits.gcra import Bucket, Decision
from read_api.gateway.limits.limiter import Lease, Limiter, LimiterAwayError, LimiterSlowError

logger = structlog.get_logger(__name__)

_PAUSE_SECONDS = 0.25
_LOCAL = "local:"


class Shared(Limiter, Protocol):
    """A limiter with a server that may be away."""

    async def ping(self) -> None:
        """Ask whether the server is there; raises LimiterAwayError."""
        ...


class GuardedLimiter:
    """Ask the shared limiter; while it is away, hold everybody to half of their limits in this process.

    Requests never wait for a server that was away: a task of its own looks until it answers again.
    """

    def __init__(self, shared: Shared, local: Limiter, *, pause: float = _PAUSE_SECONDS) -> None:
        """Ask *shared*, or *local* while it is away; look every *pause* seconds whether it is back."""
        self._shared = shared
        self._local = local
        self._pause = pause
        self._looking: asyncio.Task[None] | None = None
        self.failures = 0
        self.decided_locally = 0

    @property
    def away(self) -> bool:
        """Tell whether the shared limiter is away."""
        return self._looking is not None

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take one request from all of *buckets*, or from none where one of them is empty."""
        if not self.away:
            try:
                return await self._ask(buckets)
            except LimiterAwayError as error:
                self._lost(error)
        self.decided_locally += 1
        return await self._local.take([Bucket(bucket.key, bucket.limit.stricter()) for bucket in buckets])

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*, or return None where it has *most* already; half of it while away."""
        if not self.away:
            try:
                return await self._shared.enter(key, most)
            except LimiterAwayError as error:
                self._lost(error)
        return await self._local.enter(_LOCAL + key, max(most // 2, 1))

    async def leave(self, lease: Lease) -> None:
        """Count a socket no more, where it was counted."""
        if lease.key.startswith(_LOCAL):
            await self._local.leave(lease)
            return
        try:
            await self._shared.leave(lease)
        except LimiterAwayError as error:
            self._lost(error)

    async def aclose(self) -> None:
        """End the look-out and both limiters."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._shared.aclose()
        await self._local.aclose()

    async def start(self) -> None:
        """Look whether the shared limiter is there, so that the first request need not wait for a connection."""
        try:
            await self._shared.ping()
        except LimiterAwayError as error:
            self._lost(error)

    async def _ask(self, buckets: Sequence[Bucket]) -> Decision:
        """Ask once more where no answer came in time: this process may have been busy itself."""
        try:
            return await self._shared.take(buckets)
        except LimiterSlowError:
            return await self._shared.take(buckets)

    def _lost(self, error: LimiterAwayError) -> None:
        self.failures += 1
        if self._looking is None:
            logger.warning("limiter away, this process counts alone", reason=str(error))
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Look until the shared limiter answers."""
        while True:
            try:
                await self._shared.ping()
            except LimiterAwayError:
                await asyncio.sleep(self._pause)
                continue
            self._looking = None
            logger.info("limiter back")
            return
