"""Allow requests and sockets, or refuse them with 429. No other module does."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol

from domain.actor import ANONYMOUS, Actor
from read_api.gateway.limits.gcra import Bucket, Decision, Limit, remaining, seconds
from read_api.gateway.limits.limiter import Lease, Limiter
from read_api.gateway.limits.tiers import (
    DEFAULT,
    FEEDBACK,
    FEEDBACK_MESSAGES,
    SIGN_IN,
    SIGN_IN_REQUESTS,
    allowance_of,
    requests_of,
)
from read_api.problems import RETRY_SECONDS, HttpError

Headers = list[tuple[bytes, bytes]]
_SPANS = {60: "a minute", 3_600: "an hour"}
_RUNNING, _LEASES = "limits.running", "limits.leases"


class Caller(Protocol):
    """What limits need to know of a request.

    Limits store response headers and held counts in *state*; the edge sends the headers, and releases the
    counts when the connection ends.
    """

    @property
    def actor(self) -> Actor:
        """Return the actor of the request; raises HttpError 401."""
        ...

    @property
    def address(self) -> str:
        """Return the IPv4 address of the client, or the network of its IPv6 address."""
        ...

    @property
    def state(self) -> dict[str, Any]:
        """Return the state of the connection."""
        ...


class Limits:
    """Apply the limits of each tier. *refused* counts refusals by the name of the limit."""

    def __init__(self, limiter: Limiter, *, tiers: bool = True, sign_in: bool = True) -> None:
        """Count with *limiter*; False for *tiers* or *sign_in* switches those limits off."""
        self.limiter = limiter
        self._tiers = tiers
        self._sign_in = sign_in
        self._running: dict[str, int] = {}
        self.refused = {DEFAULT: 0, SIGN_IN: 0, FEEDBACK: 0, "concurrency": 0, "sockets": 0}
        self.sockets = 0

    async def request(self, call: Caller, limit: str = DEFAULT) -> None:
        """Allow a request, or raise HttpError 429; the answer gets headers with what remains.

        A request whose token is not valid counts against its address; the handler refuses it, not this
        method.
        """
        if limit == SIGN_IN:
            if self._sign_in:
                await self._take(call, Bucket(f"sign-in:{call.address}", SIGN_IN_REQUESTS))
            return
        if not self._tiers:
            return
        actor = _known(call)
        allowance = allowance_of(actor)
        if allowance.running is not None:
            self._begin(call, actor.id, allowance.running)
        if allowance.requests is not None:
            await self._take(call, Bucket(f"requests:{_key(call, actor)}", allowance.requests))

    async def commands(self, call: Caller, count: int) -> None:
        """Allow a request of *count* commands, or raise HttpError 429; `request` has counted the first.

        A request with more commands than the burst passes when nothing else was sent for long enough; the
        requests after it wait until it is paid for.
        """
        if not self._tiers or count <= 1:
            return
        actor = _known(call)
        limit = allowance_of(actor).requests
        if limit is not None:
            await self._take(call, Bucket(f"requests:{_key(call, actor)}", limit, count, held=1))

    async def changes(self, call: Caller, count: int) -> None:
        """Allow a command of *count* changes, or raise HttpError 429; `request` has counted one."""
        await self.commands(call, requests_of(count))

    async def account(self, call: Caller, account: str) -> None:
        """Allow an attempt to sign in as *account* (a text that identifies it), or raise HttpError 429."""
        if self._sign_in:  # a hash, so that no e-mail address becomes a key
            name = hashlib.blake2b(account.encode(), digest_size=16).hexdigest()
            await self._take(call, Bucket(f"sign-in-account:{name}", SIGN_IN_REQUESTS))

    async def feedback(self, call: Caller) -> None:
        """Allow an account another message to those who run the platform, or raise HttpError 429."""
        if self._tiers:
            await self._take(call, Bucket(f"feedback:{call.actor.id}", FEEDBACK_MESSAGES))

    @asynccontextmanager
    async def socket(self, call: Caller) -> AsyncIterator[None]:
        """Count a socket while the block runs, or raise HttpError 429."""
        lease = await self._enter(call)
        self._answered(call.state)
        try:
            yield
        finally:
            await self._leave(lease)

    async def hold(self, call: Caller) -> None:
        """Count a socket until the connection of *call* ends, or raise HttpError 429."""
        call.state.setdefault(_LEASES, []).append(await self._enter(call))
        self._answered(call.state)

    async def end(self, state: dict[str, Any]) -> None:
        """Release the counts that a connection holds; the edge calls this once the last byte is sent."""
        self._answered(state)
        for lease in state.pop(_LEASES, ()):
            await self._leave(lease)

    async def aclose(self) -> None:
        """Close the limiter."""
        await self.limiter.aclose()

    async def _take(self, call: Caller, bucket: Bucket) -> None:
        decision = await self.limiter.take((bucket,))
        limit, backlog = decision.limits[0], decision.backlogs[0]
        call.state["headers"] = _headers(limit, remaining(backlog, limit), seconds(backlog))
        if not decision.allowed:
            raise self._refusal(bucket, limit, decision)

    def _refusal(self, bucket: Bucket, limit: Limit, decision: Decision) -> HttpError:
        self.refused[limit.name] += 1
        wait = seconds(decision.wait)
        counted = f"; this one counts as {bucket.count}" if bucket.count > 1 else ""
        detail = (
            f"more than {limit.requests} requests {_SPANS[limit.seconds]}, or {limit.burst} at once"
            f"{counted}: try again in {wait} s"
        )
        return HttpError(429, "rate_limited", detail, headers={"Retry-After": str(wait)})

    def _begin(self, call: Caller, key: str, most: int) -> None:
        """Count a request as running until the edge has sent its answer."""
        count = self._running.get(key, 0)
        call.state["headers"] = _concurrency_headers(most, max(most - count - 1, 0))
        if count >= most:
            self.refused["concurrency"] += 1
            raise HttpError(
                429,
                "rate_limited",
                f"{most} requests are running, which is the most at once: wait for an answer first",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._running[key] = count + 1
        call.state[_RUNNING] = key

    def _answered(self, state: dict[str, Any]) -> None:
        """Stop counting a request as running; one that became a socket is counted as such."""
        key = state.pop(_RUNNING, None)
        if key is None:
            return
        remaining_requests = self._running[key] - 1
        if remaining_requests:
            self._running[key] = remaining_requests
        else:
            del self._running[key]

    async def _enter(self, call: Caller) -> Lease | None:
        """Count a socket and return its lease, None where sockets are not counted; raises HttpError 429."""
        if not self._tiers:
            return None
        actor = _known(call)
        most = allowance_of(actor).sockets
        lease = await self.limiter.enter(_key(call, actor), most)
        if lease is None:
            self.refused["sockets"] += 1
            raise HttpError(
                429,
                "too_many_sockets",
                f"{most} live connections are open, which is the most at once: close one first",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self.sockets += 1
        return lease

    async def _leave(self, lease: Lease | None) -> None:
        if lease is not None:
            self.sockets -= 1
            await self.limiter.leave(lease)


def _known(call: Caller) -> Actor:
    try:
        return call.actor
    except HttpError:
        return ANONYMOUS


def _key(call: Caller, actor: Actor) -> str:
    """Return the key to count under: the account, whatever its token, or an anonymous caller's address."""
    return f"address:{call.address}" if actor.is_anonymous else f"account:{actor.id}"


@lru_cache(maxsize=64)
def _policy(limit: Limit) -> bytes:
    return f'"{limit.name}";q={limit.requests};w={limit.seconds}'.encode()


def _headers(limit: Limit, left: int, full_in: int) -> Headers:
    """Return the headers that show the state of a limit (draft-ietf-httpapi-ratelimit-headers-11)."""
    return [
        (b"ratelimit-policy", _policy(limit)),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (limit.name.encode(), left, full_in)),
    ]


def _concurrency_headers(most: int, left: int) -> Headers:
    return [
        (b"ratelimit-policy", b'"default";q=%d;qu="concurrent-requests"' % most),
        (b"ratelimit", b'"default";r=%d' % left),
    ]
