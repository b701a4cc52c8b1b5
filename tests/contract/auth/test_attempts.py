"""The contract of every counter of attempts, in memory and in Redis."""

import asyncio
import time
from uuid import uuid4

import pytest

from codepark.redis_clients import connect_async
from read_api.auth.attempts import FREE_ATTEMPTS, NEVER, MemoryAttempts, RedisAttempts, delay_after
from tests.support.time_scale import stretched


@pytest.fixture(params=["memory", "redis"])
def new_attempts(request):
    """Return a function that creates a counter in the running loop."""
    if request.param == "memory":
        return MemoryAttempts
    url = request.getfixturevalue("redis_url")
    prefix = f"attempts-{uuid4().hex}."
    return lambda: RedisAttempts(connect_async(url, seconds=stretched(5)), prefix)


def run(new_attempts, work):
    async def main():
        attempts = new_attempts()
        try:
            return await work(attempts)
        finally:
            await attempts.close()

    return asyncio.run(main())


def test_the_sixth_attempt_waits(new_attempts) -> None:
    async def work(attempts):
        return [await attempts.attempt("a") for _ in range(FREE_ATTEMPTS + 1)]

    waits = run(new_attempts, work)
    assert waits[:FREE_ATTEMPTS] == [0] * FREE_ATTEMPTS
    assert waits[-1] >= 1


def test_many_at_once_gain_nothing(new_attempts) -> None:
    async def work(attempts):
        began = time.monotonic()
        waits = await asyncio.gather(*(attempts.attempt("a") for _ in range(200)))
        return waits.count(0), time.monotonic() - began

    passed, seconds = run(new_attempts, work)
    assert FREE_ATTEMPTS <= passed <= FREE_ATTEMPTS + seconds  # a second later, one more may try


def test_keys_are_independent_and_a_success_clears_one(new_attempts) -> None:
    async def work(attempts):
        for _ in range(FREE_ATTEMPTS):
            await attempts.attempt("a")
        other = await attempts.attempt("b")
        await attempts.clear("a")
        return other, await attempts.attempt("a")

    assert run(new_attempts, work) == (0, 0)


def test_a_counter_may_have_a_maximum(new_attempts) -> None:
    async def work(attempts):
        return [await attempts.attempt("a", 3) for _ in range(5)]

    assert run(new_attempts, work) == [0, 0, 0, NEVER, NEVER]


def test_made_up_addresses_release_no_key_that_guards_something(new_attempts) -> None:
    async def work(attempts):
        for _ in range(FREE_ATTEMPTS + 1):
            await attempts.attempt("guess")
        for start in range(0, 10_300, 100):
            keys = (f"made-up:{start + number}" for number in range(100))
            await asyncio.gather(*(attempts.attempt(key, guards=False) for key in keys))
        return [await attempts.attempt("guess") == 0 for _ in range(FREE_ATTEMPTS)]

    began = time.monotonic()
    free = run(new_attempts, work)
    # One more guess is free for each of the delays of 1 s, 2 s and 4 s that have passed, never five at once.
    assert free.count(True) <= 1
    assert free.count(False) >= FREE_ATTEMPTS - 1, time.monotonic() - began


def test_the_counter_that_delays_least_makes_room() -> None:
    attempts = MemoryAttempts(lambda: 0.0)

    async def work():
        for _ in range(FREE_ATTEMPTS):
            await attempts.attempt("slowed down")
        for number in range(50_100):
            await attempts.attempt(f"once {number}")
        return await attempts.attempt("slowed down") > 0

    assert asyncio.run(work())


def test_counters_are_bounded_even_if_all_delay_alike() -> None:
    attempts = MemoryAttempts(lambda: 0.0)

    async def work():
        for number in range(10_050):
            await attempts.attempt(f"{number}", guards=False)
        return await attempts.attempt("10049", most=1, guards=False), await attempts.attempt("0", most=1)

    assert asyncio.run(work()) == (NEVER, 0)


def test_the_delay_doubles_up_to_five_minutes() -> None:
    assert [delay_after(count) for count in range(9)] == [0, 0, 0, 0, 0, 1, 2, 4, 8]
    assert delay_after(1_000) == 300


def test_the_delay_ends_and_grows() -> None:
    now = [0.0]
    attempts = MemoryAttempts(lambda: now[0])

    async def work():
        for _ in range(FREE_ATTEMPTS):
            await attempts.attempt("a")
        first = await attempts.attempt("a")
        now[0] += first
        allowed = await attempts.attempt("a")
        return first, allowed, await attempts.attempt("a")

    assert asyncio.run(work()) == (1, 0, 2)


def test_without_redis_each_process_counts_for_itself() -> None:
    async def work():
        attempts = RedisAttempts(connect_async("redis://127.0.0.1:1/0", seconds=0.2), "x.")
        waits = [await attempts.attempt("a") for _ in range(FREE_ATTEMPTS + 1)]
        await attempts.close()
        return waits

    assert asyncio.run(work())[-1] >= 1
