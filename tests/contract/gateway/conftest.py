"""The limiters that every test of this suite runs against: an adapter joins by one entry in LIMITERS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from read_api.gateway.limits.fallback import GuardedLimiter
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.gateway.limits.redis import RedisLimiter, connect
from tests.support.time_scale import stretched

DEADLINE = stretched(5.0)  # long enough for a machine that is busy with other tests


@asynccontextmanager
async def memory(url) -> AsyncIterator[MemoryLimiter]:
    yield MemoryLimiter()


@asynccontextmanager
async def redis(url) -> AsyncIterator[RedisLimiter]:
    limiter = RedisLimiter(connect(url()), f"test-{uuid4().hex}.", deadline=DEADLINE)
    try:
        yield limiter
    finally:
        await limiter.aclose()


@asynccontextmanager
async def guarded(url) -> AsyncIterator[GuardedLimiter]:
    shared = RedisLimiter(connect(url()), f"test-{uuid4().hex}.", deadline=DEADLINE)
    limiter = GuardedLimiter(shared, MemoryLimiter())
    await limiter.start()
    try:
        yield limiter
    finally:
        await limiter.aclose()


LIMITERS = {"memory": memory, "redis": redis, "guarded": guarded}


@pytest.fixture(params=sorted(LIMITERS))
def with_limiter(request):
    """Run a coroutine function with a new limiter."""

    def run(work):
        async def main():
            async with LIMITERS[request.param](lambda: request.getfixturevalue("redis_url")) as limiter:
                return await work(limiter)

        return asyncio.run(main())

    if request.param != "memory":
        request.getfixturevalue("redis_url")
    return run
