"""What only a shared limiter can be asked: other processes, processes that died, clocks, and a server that is away."""

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
    buckets, left, passed = (Bucket("k", Limit("law", int(per_minute), int(burst))),), iter(range(int(requests))), 0
    async def ask():
        nonlocal passed
        for _ in left:
            decision = await limiter.take(buckets)
            passed += decision.allowed
    began = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(25)))
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
        str(limit.per_minute),
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
        found = [json.loads(process.communicate(timeout=stretched(60))[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    passed = sum(count for count, _, _ in found)
    seconds = max(end for _, _, end in found) - min(begin for _, begin, _ in found)
    assert limit.burst <= passed <= limit.burst + seconds * limit.per_minute / 60 + 1


def test_requests_that_wait_together_are_one_question(redis_url):
    async def run():
        limiter = new_limiter(redis_url)
        await limiter.ping()
        with Redis.from_url(redis_url) as watcher:
            asked = 0
            await limiter.take((Bucket("k", LIMIT),))
            original = limiter._take_script.run

            async def counted(*arguments):
                nonlocal asked
                asked += 1
                return await original(*arguments)

            limiter._take_script.run = counted
            await asyncio.gather(*(limiter.take((Bucket(str(n), LIMIT),)) for n in range(60)))
            assert watcher.ping()
        await limiter.aclose()
        return asked

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
    """It renews no longer, and its leases run out."""

    async def run():
        prefix = f"test-{uuid4().hex}."
        lease = stretched(2.0)  # longer than a busy machine stands still
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


def test_sockets_that_live_keep_their_place(redis_url):
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


def test_a_clock_that_was_set_back_locks_nobody_out(redis_url):
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


def test_a_server_that_hangs_costs_two_deadlines_and_one_that_is_back_is_found(tmp_path):
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
            assert [d.allowed for d in decisions] == [True, True, False], "half of four, counted here"
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


def test_a_server_that_was_never_there(tmp_path):
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


def test_one_answer_that_comes_too_late_is_asked_for_again():
    """Only who is silent twice is away: this process may have been busy itself."""

    class Late(MemoryLimiter):
        late = 1

        async def ping(self):
            raise AssertionError("nobody looks for who is not away")

        async def take(self, buckets):
            if self.late:
                self.late -= 1
                raise LimiterTimeoutError("too late")
            return await super().take(buckets)

    async def run():
        limiter = GuardedLimiter(Late(), MemoryLimiter())
        assert (await limiter.take((Bucket("k", LIMIT),))).limits == (LIMIT,)
        assert not limiter.unavailable
        await limiter.aclose()

    asyncio.run(run())
