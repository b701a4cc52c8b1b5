"""The contract of every limiter, in memory and in Redis."""

import asyncio
import time

import pytest

from read_api.gateway.limits.gcra import Bucket, Limit
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration

SLOW = Limit("default", 1, 5)  # the bucket gains nothing while a test runs
TASKS, REQUESTS = 50, 10_000


def bucket(key="k", limit=SLOW):
    return (Bucket(key, limit),)


def test_the_burst_passes_and_no_more(with_limiter):
    async def work(limiter):
        return [await limiter.take(bucket()) for _ in range(8)]

    decisions = with_limiter(work)
    assert [decision.allowed for decision in decisions] == [True] * 5 + [False] * 3
    assert all(0 < decision.wait <= SLOW.interval for decision in decisions[5:])
    assert all(decision.limits == (SLOW,) for decision in decisions)


def test_each_key_has_a_bucket(with_limiter):
    async def work(limiter):
        return [(await limiter.take(bucket(key))).allowed for key in "abababababab"]

    assert with_limiter(work) == [True] * 10 + [False] * 2


def test_a_refused_request_costs_nothing(with_limiter):
    async def work(limiter):
        for _ in range(5):
            await limiter.take(bucket())
        first = await limiter.take(bucket())
        for _ in range(20):
            last = await limiter.take(bucket())
        return first, last

    first, last = with_limiter(work)
    assert last.wait <= first.wait
    assert last.backlogs[0] <= first.backlogs[0]


def test_of_several_buckets_one_that_is_empty_leaves_the_others_as_they_are(with_limiter):
    both = (Bucket("address", SLOW), Bucket("account", Limit("default", 1, 2)))

    async def work(limiter):
        decisions = [await limiter.take(both) for _ in range(4)]
        return decisions, [(await limiter.take(both[:1])).allowed for _ in range(4)]

    decisions, alone = with_limiter(work)
    assert [decision.allowed for decision in decisions] == [True, True, False, False]
    assert [len(decision.backlogs) for decision in decisions] == [2] * 4
    assert alone == [True] * 3 + [False]


def test_a_bucket_fills_again(with_limiter):
    quick = Limit("default", 600, 1)

    async def work(limiter):
        began = time.monotonic()
        assert (await limiter.take(bucket(limit=quick))).allowed
        while not (await limiter.take(bucket(limit=quick))).allowed:
            assert time.monotonic() < began + stretched(10)
        return time.monotonic() - began

    assert with_limiter(work) > 0.05


@pytest.mark.parametrize("limit", [Limit("law", 6_000, 100), Limit("law", 60, 10)])
def test_ten_thousand_requests_of_fifty_tasks_never_pass_the_limit(with_limiter, limit):
    async def work(limiter):
        left, passed = iter(range(REQUESTS)), 0

        async def ask():
            nonlocal passed
            for _ in left:
                decision = await limiter.take(bucket(limit=limit))
                passed += decision.allowed

        began = time.monotonic()
        await asyncio.gather(*(ask() for _ in range(TASKS)))
        return passed, time.monotonic() - began

    passed, seconds = with_limiter(work)
    assert limit.burst <= passed <= limit.burst + seconds * limit.requests / 60 + 1


def test_a_request_takes_as_many_as_it_has_commands(with_limiter):
    async def work(limiter):
        three = await limiter.take((Bucket("k", SLOW, 3),))
        refused = await limiter.take((Bucket("k", SLOW, 3),))
        two = await limiter.take((Bucket("k", SLOW, 2),))
        return three, refused, two, await limiter.take(bucket())

    three, refused, two, one = with_limiter(work)
    assert [decision.allowed for decision in (three, refused, two, one)] == [True, False, True, False]
    assert 0 < refused.wait <= SLOW.interval
    assert three.backlogs == (3 * SLOW.interval,)


def test_more_commands_than_the_burst_need_a_full_bucket_and_leave_a_debt(with_limiter):
    async def work(limiter):
        large = await limiter.take((Bucket("k", SLOW, 12),))
        waits = await limiter.take(bucket())
        await limiter.take(bucket("other"))
        return large, waits, await limiter.take((Bucket("other", SLOW, 12),))

    large, waits, refused = with_limiter(work)
    assert (large.allowed, large.backlogs) == (True, (12 * SLOW.interval,))
    assert 7 * SLOW.interval < waits.wait <= 8 * SLOW.interval
    assert not refused.allowed
    assert 0 < refused.wait <= SLOW.interval


def test_what_a_request_holds_already_is_not_counted_twice(with_limiter):
    async def work(limiter):
        await limiter.take(bucket())
        whole = await limiter.take((Bucket("k", SLOW, 12, held=1),))
        await limiter.take(bucket("other"))
        await limiter.take(bucket("other"))
        return whole, await limiter.take((Bucket("other", SLOW, 5, held=1),))

    whole, refused = with_limiter(work)
    assert whole.allowed
    assert 11 * SLOW.interval < whole.backlogs[0] <= 12 * SLOW.interval
    assert not refused.allowed
    assert SLOW.interval < refused.wait <= 2 * SLOW.interval


def test_the_number_of_sockets_is_limited(with_limiter):
    async def work(limiter):
        leases = [await limiter.enter("k", 3) for _ in range(5)]
        assert [lease is not None for lease in leases] == [True] * 3 + [False] * 2
        assert await limiter.enter("other", 3) is not None
        await limiter.leave(leases[0])
        again = [await limiter.enter("k", 3) for _ in range(2)]
        assert [lease is not None for lease in again] == [True, False]

    with_limiter(work)


def test_fifty_tasks_that_open_sockets_at_once_get_no_more_than_the_limit(with_limiter):
    async def work(limiter):
        leases = await asyncio.gather(*(limiter.enter("k", 20) for _ in range(TASKS)))
        return sum(lease is not None for lease in leases)

    assert with_limiter(work) == 20


def test_a_cancelled_request_harms_no_other(with_limiter):
    async def work(limiter):
        tasks = [asyncio.create_task(limiter.take(bucket(str(number)))) for number in range(20)]
        await asyncio.wait(tasks, timeout=0)
        for task in tasks[::2]:
            task.cancel()
        decisions = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(decision.allowed for decision in decisions[1::2])
        return (await limiter.take(bucket("after"))).allowed

    assert with_limiter(work)
