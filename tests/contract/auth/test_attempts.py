"""What every counter of attempts keeps to, in memory and in Redis."""

import asyncio
import time
from uuid import uuid4

import pytest

from codepark.cache_and_channel import connect_async
from read_api.auth.attempts import FREE_ATTEMPTS, NEVER, MemoryAttempts, RedisAttempts, delay_after
from tests.support.time_scale import stretched


@pytest.fixture(params=["memory", "redis"])
def made(request):
    """Return what makes a counter in the running loop."""
    if request.param == "memory":
        return MemoryAttempts
    url = request.getfixturevalue("redis_url")
    prefix = f"attempts-{uuid4().hex}."
    return lambda: RedisAttempts(connect_async(url, seconds=stretched(5)), prefix)


def run(made, ask):
    async def asked():
        attempts = made()
        try:
            return await ask(attempts)
        finally:
            await attempts.close()

    return asyncio.run(asked())


def test_the_sixth_attempt_waits(made) -> None:
    async def ask(attempts):
        return [await attempts.attempt("a") for _ in range(FREE_ATTEMPTS + 1)]

    waits = run(made, ask)
    assert waits[:FREE_ATTEMPTS] == [0] * FREE_ATTEMPTS
    assert waits[-1] >= 1


def test_many_at_once_gain_nothing(made) -> None:
    async def ask(attempts):
        began = time.monotonic()
        waits = await asyncio.gather(*(attempts.attempt("a") for _ in range(200)))
        return waits.count(0), time.monotonic() - began

    passed, seconds = run(made, ask)
    assert FREE_ATTEMPTS <= passed <= FREE_ATTEMPTS + seconds  # who comes a second later may try again


def test_keys_are_apart_and_success_forgets(made) -> None:
    async def ask(attempts):
        for _ in range(FREE_ATTEMPTS):
            await attempts.attempt("a")
        other = await attempts.attempt("b")
        await attempts.clear("a")
        return other, await attempts.attempt("a")

    assert run(made, ask) == (0, 0)


def test_there_may_be_a_most(made) -> None:
    async def ask(attempts):
        return [await attempts.attempt("a", 3) for _ in range(5)]

    assert run(made, ask) == [0, 0, 0, NEVER, NEVER]


def test_the_delay_doubles_up_to_five_minutes() -> None:
    assert [delay_after(count) for count in range(9)] == [0, 0, 0, 0, 0, 1, 2, 4, 8]
    assert delay_after(1_000) == 300


def test_the_delay_ends_and_grows() -> None:
    now = [0.0]
    attempts = MemoryAttempts(lambda: now[0])

    async def ask():
        for _ in range(FREE_ATTEMPTS):
            await attempts.attempt("a")
        first = await attempts.attempt("a")
        now[0] += first
        allowed = await attempts.attempt("a")
        return first, allowed, await attempts.attempt("a")

    assert asyncio.run(ask()) == (1, 0, 2)


def test_without_redis_each_process_counts_for_itself() -> None:
    async def ask():
        attempts = RedisAttempts(connect_async("redis://127.0.0.1:1/0", seconds=0.2), "x.")
        found = [await attempts.attempt("a") for _ in range(FREE_ATTEMPTS + 1)]
        await attempts.close()
        return found

    assert asyncio.run(ask())[-1] >= 1
