"""A limiter for when the shared one may be unavailable: this process then counts, more strictly."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog
from msgspec.structs import replace

from read_api.gateway.limits.gcra import Bucket, Decision
from read_api.gateway.limits.limiter import Lease, Limiter, LimiterTimeoutError, LimiterUnavailableError

logger = structlog.get_logger(__name__)

_PAUSE_SECONDS = 0.25
_LOCAL = "local:"


class SharedLimiter(Limiter, Protocol):
    """A limiter with a server that may be unavailable."""

    async def ping(self) -> None:
        """Check that the server answers; raises LimiterUnavailableError."""
        ...


class GuardedLimiter:
    """Ask the shared limiter; while it is unavailable, apply half of each limit in this process.

    No request waits for an unavailable server: a task of its own pings it until it answers again.
    """

    def __init__(self, shared: SharedLimiter, local: Limiter, *, pause: float = _PAUSE_SECONDS) -> None:
        """Ask *shared*; while it is unavailable, ask *local* and ping *shared* every *pause* seconds."""
        self._shared = shared
        self._local = local
        self._pause = pause
        self._pinging: asyncio.Task[None] | None = None
        self.failures = 0
        self.decided_locally = 0

    @property
    def unavailable(self) -> bool:
        """Return whether the shared limiter is unavailable."""
        return self._pinging is not None

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take requests from all of *buckets*, or from none where one of them has too few."""
        if not self.unavailable:
            try:
                return await self._ask(buckets)
            except LimiterUnavailableError as error:
                self._lost(error)
        self.decided_locally += 1
        return await self._local.take([replace(bucket, limit=bucket.limit.stricter()) for bucket in buckets])

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*; return None where it has *most* already; in this process, half of them."""
        if not self.unavailable:
            try:
                return await self._shared.enter(key, most)
            except LimiterUnavailableError as error:
                self._lost(error)
        return await self._local.enter(_LOCAL + key, max(most // 2, 1))

    async def leave(self, lease: Lease) -> None:
        """Stop counting a socket, in the limiter that counted it."""
        if lease.key.startswith(_LOCAL):
            await self._local.leave(lease)
            return
        try:
            await self._shared.leave(lease)
        except LimiterUnavailableError as error:
            self._lost(error)

    async def aclose(self) -> None:
        """Stop the pinging task and close both limiters."""
        if self._pinging is not None:
            self._pinging.cancel()
            await asyncio.gather(self._pinging, return_exceptions=True)
        await self._shared.aclose()
        await self._local.aclose()

    async def start(self) -> None:
        """Ping the shared limiter, so that the first request does not wait for a connection."""
        try:
            await self._shared.ping()
        except LimiterUnavailableError as error:
            self._lost(error)

    async def _ask(self, buckets: Sequence[Bucket]) -> Decision:
        """Ask, and ask a second time after a timeout: this process itself may have been too busy to read."""
        try:
            return await self._shared.take(buckets)
        except LimiterTimeoutError:
            return await self._shared.take(buckets)

    def _lost(self, error: LimiterUnavailableError) -> None:
        self.failures += 1
        if self._pinging is None:
            logger.warning("shared limiter unavailable: this process counts for itself", reason=str(error))
            self._pinging = asyncio.create_task(self._ping())

    async def _ping(self) -> None:
        """Ping the shared limiter until it answers."""
        while True:
            try:
                await self._shared.ping()
            except LimiterUnavailableError:
                await asyncio.sleep(self._pause)
                continue
            self._pinging = None
            logger.info("shared limiter available again")
            return
