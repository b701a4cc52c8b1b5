"""Shared limiters only: several processes, processes that died, clocks, and an unavailable server."""

import asyncio
import json
import subprocess
import sys
import time
from uuid import uuid4

import pytest
from redis import Redis

from read_api.gateway.limits.fallback import GuardedLimiter
from read_api.gateway.limits.gcra import Bucket, Limit
from read_api.gateway.limits.limiter import LimiterTimeoutError, LimiterUnavailableError
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.gateway.limits.redis import RedisLimiter, connect
from tests.support.cluster import private_valkey
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration

HAMMER = """
import asyncio, json, sys, time
from read_api.gateway.limits.gcra import Bucket, Limit
from read_api.gateway.limits.redis import RedisLimiter, connect

async def main(url, prefix, per_minute, burst, requests, deadline):
    limiter = RedisLimiter(connect(url), prefix, deadline=float(deadline))
    await limiter.ping()
    print("ready", flush=True)
    sys.stdin.readline()
    buckets = (Bucket("k", Limit("law", int(per_minute), int(burst))),)
    numbers, passed = iter(range(int(requests))), 0
    async def take():
        nonlocal passed
        for _ in numbers:
            decision = await limiter.take(buckets)
            passed += decision.allowed
    began = time.monotonic()
    await asyncio.gather(*(take() for _ in range(25)))
    print(json.dumps([passed, began, time.monotonic()]), flush=True)
    await limiter.aclose()

asyncio.run(main(*sys.argv[1:]))
"""
LIMIT = Limit("default", 1, 4)


def new_limiter(url, prefix=None, **options):
    return RedisLimiter(
        connect(url), prefix or f"test-{uuid4().hex}.", **({"deadline": stretched(5.0)} | options)
    )


@pytest.mark.parametrize("limit", [Limit("law", 6_000, 100), Limit("law", 60, 10)])
def test_ten_thousand_requests_of_two_processes_never_pass_the_limit(redis_url, limit):
    prefix = f"test-{uuid4().hex}."
    command = [
        sys.executable,
        "-c",
        HAMMER,
        redis_url,
        prefix,
        str(limit.requests),
        str(limit.burst),
        "5000",
        str(stretched(5.0)),
    ]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        outcomes = [json.loads(process.communicate(timeout=stretched(60))[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    passed = sum(count for count, _, _ in outcomes)
    seconds = max(end for _, _, end in outcomes) - min(begin for _, begin, _ in outcomes)
    assert limit.burst <= passed <= limit.burst + seconds * limit.requests / 60 + 1


def test_requests_that_wait_together_share_a_call(redis_url):
    async def run():
        limiter = new_limiter(redis_url)
        await limiter.ping()
        with Redis.from_url(redis_url) as watcher:
            calls = 0
            await limiter.take((Bucket("k", LIMIT),))
            original = limiter._take_script.run

            async def counted(*arguments):
                nonlocal calls
                calls += 1
                return await original(*arguments)

            limiter._take_script.run = counted
            await asyncio.gather(*(limiter.take((Bucket(str(n), LIMIT),)) for n in range(60)))
            assert watcher.ping()
        await limiter.aclose()
        return calls

    assert asyncio.run(run()) <= 2


def test_a_script_that_the_server_forgot_is_sent_again(tmp_path):
    with private_valkey(tmp_path) as valkey:

        async def run():
            limiter = new_limiter(valkey.address)
            assert (await limiter.take((Bucket("k", LIMIT),))).allowed
            with Redis.from_url(valkey.address) as client:
                client.script_flush()
            assert (await limiter.take((Bucket("k", LIMIT),))).allowed
            await limiter.aclose()

        asyncio.run(run())


def test_sockets_of_a_process_that_died_are_freed(redis_url):
    """It renews no longer, and its leases expire."""

    async def run():
        prefix = f"test-{uuid4().hex}."
        lease = stretched(2.0)  # longer than a busy machine stops a process
        dead = new_limiter(redis_url, prefix, lease_seconds=lease)
        lives = new_limiter(redis_url, prefix, lease_seconds=lease)
        assert await dead.enter("k", 1) is not None
        assert await lives.enter("k", 1) is None
        dead._renewing.cancel()
        deadline = time.monotonic() + stretched(20)
        while await lives.enter("k", 1) is None:
            assert time.monotonic() < deadline
        await dead.aclose()
        await lives.aclose()

    asyncio.run(run())


def test_open_sockets_stay_counted(redis_url):
    async def run():
        prefix = f"test-{uuid4().hex}."
        lease = stretched(2.0)
        first = new_limiter(redis_url, prefix, lease_seconds=lease)
        second = new_limiter(redis_url, prefix, lease_seconds=lease)
        assert await first.enter("k", 1) is not None
        until = time.monotonic() + 1.5 * lease
        while time.monotonic() < until:
            assert await second.enter("k", 1) is None
        await first.aclose()
        await second.aclose()

    asyncio.run(run())


def test_a_clock_that_was_set_back_refuses_one_interval_at_most(redis_url):
    async def run():
        prefix = f"test-{uuid4().hex}."
        limiter = new_limiter(redis_url, prefix)
        hour = int((time.time() + 3_600) * 1_000_000)
        with Redis.from_url(redis_url) as client:
            client.set(f"{prefix}{{limits}}:k", hour)
        decision = await limiter.take((Bucket("k", LIMIT),))
        await limiter.aclose()
        return decision

    assert asyncio.run(run()).wait == LIMIT.interval


def test_a_clock_that_was_set_back_makes_no_debt_larger(redis_url):
    async def run():
        prefix = f"test-{uuid4().hex}."
        limiter = new_limiter(redis_url, prefix)
        await limiter.take((Bucket("k", LIMIT, 10),))
        hour = int((time.time() + 3_600) * 1_000_000)
        with Redis.from_url(redis_url) as client:
            debt = client.get(f"{prefix}{{limits}}:k").decode().partition(":")[2]
            client.set(f"{prefix}{{limits}}:k", f"{hour}:{debt}")
        decision = await limiter.take((Bucket("k", LIMIT),))
        await limiter.aclose()
        return decision

    assert asyncio.run(run()).wait == 7 * LIMIT.interval


def test_a_server_that_hangs_costs_two_deadlines_and_is_used_again_once_it_answers(tmp_path):
    with private_valkey(tmp_path) as valkey:

        async def run():
            limiter = GuardedLimiter(
                new_limiter(valkey.address, deadline=stretched(0.3)), MemoryLimiter(), pause=0.01
            )
            await limiter.start()
            assert not limiter.unavailable
            assert (await limiter.take((Bucket("k", LIMIT),))).limits == (LIMIT,)
            valkey.pause()
            began = time.monotonic()
            decisions = [await limiter.take((Bucket("k", LIMIT),)) for _ in range(3)]
            assert time.monotonic() - began < stretched(2)
            assert [d.allowed for d in decisions] == [True, True, False], (
                "half of four, counted in this process"
            )
            assert decisions[0].limits == (LIMIT.stricter(),)
            assert (limiter.unavailable, limiter.failures, limiter.decided_locally) == (True, 1, 3)
            lease = await limiter.enter("k", 10)
            assert lease is not None
            valkey.resume()
            deadline = time.monotonic() + stretched(10)
            while limiter.unavailable:
                await asyncio.wait({limiter._pinging}, timeout=0.1)
                assert time.monotonic() < deadline
            assert (await limiter.take((Bucket("k", LIMIT),))).limits == (LIMIT,)
            await limiter.leave(lease)
            await limiter.aclose()

        asyncio.run(run())


def test_a_server_that_never_existed(tmp_path):
    async def run():
        limiter = new_limiter(f"unix://{tmp_path}/nobody.sock")
        with pytest.raises(LimiterUnavailableError):
            await limiter.take((Bucket("k", LIMIT),))
        guarded = GuardedLimiter(limiter, MemoryLimiter())
        await guarded.start()
        assert guarded.unavailable
        assert (await guarded.take((Bucket("k", LIMIT),))).allowed
        await guarded.aclose()

    asyncio.run(run())


def test_a_call_is_repeated_once_after_a_timeout():
    """Only a second timeout means unavailable: this process itself may have been too busy to read."""

    class Late(MemoryLimiter):
        late = 1

        async def ping(self):
            raise AssertionError("an available limiter is not pinged")

        async def take(self, buckets):
            if self.late:
                self.late -= 1
                raise LimiterTimeoutError("no answer in time")
            return await super().take(buckets)

    async def run():
        limiter = GuardedLimiter(Late(), MemoryLimiter())
        assert (await limiter.take((Bucket("k", LIMIT),))).limits == (LIMIT,)
        assert not limiter.unavailable
        await limiter.aclose()

    asyncio.run(run())
