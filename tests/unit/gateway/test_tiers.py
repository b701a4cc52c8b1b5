"""The limits table, as the guide and the reference have it."""

import asyncio
import re
from itertools import count
from pathlib import Path

import pytest

from domain.actor import ANONYMOUS, SERVICE, Actor, Tier
from read_api.app import operations
from read_api.gateway.limits.gcra import Bucket, Decision
from read_api.gateway.limits.limits import Limits
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.gateway.limits.tiers import SIGN_IN_REQUESTS, allowance_of, limit_of
from read_api.problems import HttpError

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "http.md"
TABLE = [
    ("anonymous", ANONYMOUS, 60, 10, None, 5),
    ("free", Actor(id="a"), 300, 30, None, 20),
    ("pro", Actor(id="a", tier=Tier.PRO), 1_200, 100, None, 100),
    ("enterprise", Actor(id="a", tier=Tier.ENTERPRISE), None, None, 500, 1_000),
]
ids = [row[0] for row in TABLE]


class Caller:
    def __init__(self, actor=ANONYMOUS, address="192.0.2.1"):
        self._actor = actor
        self.address = address
        self.state = {}

    @property
    def actor(self):
        if self._actor is None:
            raise HttpError(401, "invalid_token", "no")
        return self._actor

    @property
    def headers(self):
        return {name.decode(): value.decode() for name, value in self.state.get("headers", ())}


def limits():
    return Limits(MemoryLimiter(lambda: 1_000_000))


@pytest.mark.parametrize(("name", "actor", "rate", "burst", "running", "sockets"), TABLE, ids=ids)
def test_the_table(name, actor, rate, burst, running, sockets):
    allowance = allowance_of(actor)
    requests = (
        (None, None)
        if allowance.requests is None
        else (allowance.requests.requests, allowance.requests.burst)
    )
    assert (*requests, allowance.running, allowance.sockets) == (rate, burst, running, sockets)


@pytest.mark.parametrize(("name", "actor", "rate", "burst", "running", "sockets"), TABLE, ids=ids)
def test_the_reference_has_the_same_table(name, actor, rate, burst, running, sockets):
    row = next(
        line for line in PAGE.read_text("utf-8").splitlines() if line.lower().startswith(f"| {name} |")
    )
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row)]
    assert numbers == [value for value in (rate, burst, running, sockets) if value is not None]


def test_the_service_is_enterprise():
    assert allowance_of(SERVICE).requests is None


@pytest.mark.parametrize(("name", "actor", "rate", "burst", "running", "sockets"), TABLE[:3], ids=ids[:3])
def test_as_many_requests_as_the_burst_and_then_429(name, actor, rate, burst, running, sockets):
    async def run():
        applied, caller = limits(), Caller(actor)
        for number in range(burst):
            await applied.request(caller)
            assert caller.headers["ratelimit"].startswith(f'"default";r={burst - number - 1};t=')
        with pytest.raises(HttpError) as refused:
            await applied.request(caller)
        assert (refused.value.status, refused.value.code) == (429, "rate_limited")
        assert refused.value.headers == {"Retry-After": "1"}
        assert caller.headers["ratelimit-policy"] == f'"default";q={rate};w=60'
        assert applied.refused["default"] == 1

    asyncio.run(run())


@pytest.mark.parametrize(("name", "actor", "rate", "burst", "running", "sockets"), TABLE, ids=ids)
def test_as_many_sockets_as_the_table_says(name, actor, rate, burst, running, sockets):
    async def run():
        applied = Limits(MemoryLimiter(count(0, 10**9).__next__))  # a clock so quick that no rate is met
        callers = [Caller(actor) for _ in range(sockets)]
        for caller in callers:
            await applied.request(caller)  # a socket does not count as one of 500 running requests
            await applied.hold(caller)
        with pytest.raises(HttpError) as refused:
            await applied.hold(Caller(actor))
        assert (refused.value.status, refused.value.code) == (429, "too_many_sockets")
        await applied.end(callers[0].state)
        async with applied.socket(Caller(actor)):
            assert applied.sockets == sockets
        assert applied.sockets == sockets - 1

    asyncio.run(run())


def test_enterprise_has_500_requests_under_way_and_no_rate():
    async def run():
        applied, actor = limits(), TABLE[3][1]
        callers = [Caller(actor) for _ in range(500)]
        for caller in callers:
            await applied.request(caller)
        assert callers[-1].headers == {
            "ratelimit-policy": '"default";q=500;qu="concurrent-requests"',
            "ratelimit": '"default";r=0',
        }
        late = Caller(actor)
        with pytest.raises(HttpError) as refused:
            await applied.request(late)
        assert refused.value.status == 429
        await applied.end(late.state)  # a refused request was not counted, and gives nothing back
        await applied.end(callers[0].state)
        await applied.request(late)
        for caller in [*callers, late]:
            await applied.end(caller.state)
        for _ in range(5_000):  # one after the other: there is no rate
            await applied.request(late)
            await applied.end(late.state)
        assert applied._running == {}

    asyncio.run(run())


def test_an_account_has_one_bucket_wherever_it_comes_from_and_an_address_one_of_its_own():
    async def run():
        applied, free = limits(), Actor(id="a")
        for number in range(30):
            await applied.request(Caller(free, f"192.0.2.{number}"))
        with pytest.raises(HttpError):
            await applied.request(Caller(free, "198.51.100.1"))
        await applied.request(Caller(Actor(id="b"), "192.0.2.1"))
        await applied.request(Caller(ANONYMOUS, "192.0.2.1"))

    asyncio.run(run())


def test_a_token_that_is_not_valid_is_counted_for_its_address():
    async def run():
        applied = limits()
        for _ in range(10):
            await applied.request(Caller(None))
        for who in (None, ANONYMOUS):
            with pytest.raises(HttpError) as refused:
                await applied.request(Caller(who))
            assert refused.value.status == 429

    asyncio.run(run())


def test_signing_in_is_limited_by_address_and_by_account_even_without_tier_limits():
    async def run():
        applied = Limits(MemoryLimiter(lambda: 0), tiers=False)
        caller = Caller()
        for _ in range(SIGN_IN_REQUESTS.burst):
            await applied.request(caller, "sign-in")
        with pytest.raises(HttpError):
            await applied.request(caller, "sign-in")
        assert caller.headers["ratelimit-policy"] == '"sign-in";q=30;w=60'
        for number in range(20):
            await applied.account(Caller(address=f"192.0.2.{number}"), "ada@example.org")
        with pytest.raises(HttpError):
            await applied.account(Caller(address="198.51.100.1"), "ada@example.org")
        await applied.account(Caller(), "bob@example.org")
        for _ in range(100):
            await applied.request(Caller())
            await applied.hold(Caller())

    asyncio.run(run())


def test_what_is_not_counted():
    counted = {operation.path: limit_of(operation.path) for operation in operations()}
    assert {path for path, limit in counted.items() if limit is None} == {
        "/health/live",
        "/health/ready",
        "/metrics",
    }
    assert {limit_of(path) for path in counted if path.startswith("/api/v1/auth/")} == {"sign-in"}


def test_a_decision_says_whether_a_request_is_allowed():
    limit = SIGN_IN_REQUESTS
    assert Decision(0, (1,), (limit,)).allowed
    assert not Decision(1, (1,), (limit,)).allowed
    assert Bucket("a", limit) == Bucket("a", limit)
