"""Laws of the bucket: never too many, nothing for a refusal, and a wait that is exact."""

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from read_api.gateway.limits.gcra import Bucket, Limit, remaining, seconds
from read_api.gateway.limits.memory import MemoryLimiter

LIMITS = st.builds(Limit, st.just("law"), st.integers(1, 5_000), st.integers(1, 200))
PAUSES = st.lists(st.one_of(st.just(0), st.integers(0, 3_000_000)), min_size=1, max_size=80)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def take(limiter, limit, key="k"):
    return asyncio.run(limiter.take((Bucket(key, limit),)))


def decisions(limit, pauses):
    """Return the times and decisions of requests with these pauses between them."""
    clock = Clock()
    limiter = MemoryLimiter(clock)
    outcomes = []

    async def run():
        for pause in pauses:
            clock.now += pause
            outcomes.append((clock.now, await limiter.take((Bucket("k", limit),))))

    asyncio.run(run())
    return outcomes


@given(LIMITS, PAUSES)
def test_never_more_than_burst_and_what_comes_back_in_any_window(limit, pauses):
    passed = [time for time, decision in decisions(limit, pauses) if decision.allowed]
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            window = passed[last] - start
            assert last - first + 1 <= limit.burst + window * limit.requests / 60_000_000


@given(LIMITS, PAUSES)
def test_a_refused_request_costs_nothing(limit, pauses):
    """With the refused requests left out, every other one is decided as before."""
    outcomes = decisions(limit, pauses)
    times = [time for time, decision in outcomes if decision.allowed]
    alone = decisions(limit, [b - a for a, b in pairwise([1_000_000, *times])])
    assert [d.backlogs for _, d in alone] == [d.backlogs for _, d in outcomes if d.allowed]


@given(LIMITS, PAUSES)
def test_the_wait_is_exact(limit, pauses):
    clock = Clock()
    limiter = MemoryLimiter(clock)

    async def run():
        for pause in pauses:
            clock.now += pause
            decision = await limiter.take((Bucket("k", limit),))
            if decision.wait:
                clock.now += decision.wait - 1
                assert (await limiter.take((Bucket("k", limit),))).wait == 1
                clock.now += 1
                assert (await limiter.take((Bucket("k", limit),))).allowed

    asyncio.run(run())


@given(LIMITS, st.integers(0, 10**10))
def test_what_remains_can_be_sent_at_once_and_no_more(limit, backlog):
    backlog = min(backlog, limit.capacity)
    left = remaining(backlog, limit)
    for _ in range(left):
        assert Bucket("k", limit).wait(backlog) == 0
        backlog += limit.interval
    assert Bucket("k", limit).wait(backlog) > 0


@given(LIMITS, st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 500)), min_size=1, max_size=60))
def test_requests_of_several_commands_never_pass_the_rate(limit, requests):
    """In any time, what passes is at most a burst and what comes back, or one request that is larger."""
    clock = Clock()
    limiter = MemoryLimiter(clock)
    passed = []

    async def run():
        for pause, count in requests:
            clock.now += pause
            decision = await limiter.take((Bucket("k", limit, count),))
            if decision.allowed:
                passed.append((clock.now, count))
            else:
                clock.now += decision.wait - 1
                assert (await limiter.take((Bucket("k", limit, count),))).wait == 1

    asyncio.run(run())
    for first, (start, count) in enumerate(passed):
        total = count
        for end, more in passed[first + 1 :]:
            total += more
            most = max(limit.burst, count, more) + (end - start) * limit.requests / 60_000_000
            assert total <= most + limit.burst


@given(LIMITS, st.integers(1, 500))
def test_a_request_that_is_larger_than_the_burst_needs_a_full_bucket_and_is_paid_for(limit, count):
    clock = Clock()
    limiter = MemoryLimiter(clock)

    async def run():
        assert (await limiter.take((Bucket("k", limit),))).allowed
        whole = await limiter.take((Bucket("k", limit, count, held=1),))
        assert whole.allowed
        assert whole.backlogs == (count * limit.interval,)
        later = await limiter.take((Bucket("k", limit),))
        assert later.wait == max((count + 1 - limit.burst) * limit.interval, 0)

    asyncio.run(run())


@given(st.integers(0, 10**10))
def test_seconds_are_rounded_up(microseconds):
    assert seconds(microseconds) * 1_000_000 >= microseconds > (seconds(microseconds) - 1) * 1_000_000


def test_an_anonymous_address_sends_ten_at_once_and_then_one_a_second():
    limit = Limit("default", 60, 10)
    outcomes = decisions(limit, [0] * 12 + [1_000_000, 0, 999_999, 1])
    assert [d.allowed for _, d in outcomes] == [True] * 10 + [False] * 2 + [True, False, False, True]


def test_the_stricter_limit_is_half_and_lets_something_through():
    assert Limit("x", 60, 10).stricter() == Limit("x", 30, 5)
    assert Limit("x", 1, 1).stricter() == Limit("x", 1, 1)


def test_full_buckets_are_forgotten():
    clock = Clock()
    limiter = MemoryLimiter(clock)
    limit = Limit("x", 60, 10)

    async def run():
        for number in range(10_001):
            await limiter.take((Bucket(f"early {number}", limit),))
        clock.now += 2_000_000
        for number in range(10_002):
            await limiter.take((Bucket(f"late {number}", limit),))

    asyncio.run(run())
    assert len(limiter._full_at) < 12_000
