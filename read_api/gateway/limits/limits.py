"""The one place where requests and sockets are let through or refused with 429."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol

from domain.actor import ANONYMOUS, Actor
from read_api.gateway.limits.gcra import Bucket, Decision, Limit, remaining, seconds
from read_api.gateway.limits.limiter import Lease, Limiter
from read_api.gateway.limits.tiers import DEFAULT, SIGN_IN, SIGN_IN_REQUESTS, allowance_of
from read_api.problems import RETRY_SECONDS, HttpError

Headers = list[tuple[bytes, bytes]]
_UNDER_WAY, _HELD = "limits.under_way", "limits.held"


class Caller(Protocol):
    """Who asks, as far as limits go. *state* is that of the connection; what is put there, the edge carries out."""

    @property
    def actor(self) -> Actor:
        """Return who sends the request; raises HttpError 401."""
        ...

    @property
    def address(self) -> str:
        """Return the address that the request comes from; of IPv6 its network."""
        ...

    @property
    def state(self) -> dict[str, Any]:
        """Return the state of the connection."""
        ...


class Limits:
    """Hold everybody to what their tier allows. What was refused is counted, by the name of the limit."""

    def __init__(self, limiter: Limiter, *, tiers: bool = True, sign_in: bool = True) -> None:
        """Count with *limiter*; without *tiers* or *sign_in* those limits do not apply."""
        self.limiter = limiter
        self._tiers = tiers
        self._sign_in = sign_in
        self._under_way: dict[str, int] = {}
        self.refused = {DEFAULT: 0, SIGN_IN: 0, "concurrency": 0, "sockets": 0}
        self.sockets = 0

    async def request(self, call: Caller, limit: str = DEFAULT) -> None:
        """Let a request through, or raise HttpError 429; the answer gets the headers that tell what is left.

        A token that is not valid makes a request of its address; whether it is refused for that is the handler's matter.
        """
        if limit == SIGN_IN:
            if self._sign_in:
                await self._take(call, Bucket(f"sign-in:{call.address}", SIGN_IN_REQUESTS))
            return
        if not self._tiers:
            return
        actor = _known(call)
        allowance = allowance_of(actor)
        if allowance.under_way is not None:
            self._begin(call, actor.id, allowance.under_way)
        if allowance.requests is not None:
            await self._take(call, Bucket(f"requests:{_key(call, actor)}", allowance.requests))

    async def account(self, call: Caller, account: str) -> None:
        """Let somebody try to sign in as *account* (any text that names it), or raise HttpError 429."""
        if self._sign_in:  # an e-mail address is not written into a key
            name = hashlib.blake2b(account.encode(), digest_size=16).hexdigest()
            await self._take(call, Bucket(f"sign-in-account:{name}", SIGN_IN_REQUESTS))

    @asynccontextmanager
    async def socket(self, call: Caller) -> AsyncIterator[None]:
        """Count a socket for as long as the block lasts, or raise HttpError 429."""
        lease = await self._enter(call)
        self._answered(call.state)
        try:
            yield
        finally:
            await self._leave(lease)

    async def hold(self, call: Caller) -> None:
        """Count a socket until the connection of *call* ends, or raise HttpError 429."""
        call.state.setdefault(_HELD, []).append(await self._enter(call))
        self._answered(call.state)

    async def end(self, state: dict[str, Any]) -> None:
        """Count what a connection held no more: the edge calls it once the last byte is sent."""
        self._answered(state)
        for lease in state.pop(_HELD, ()):
            await self._leave(lease)

    async def aclose(self) -> None:
        """Let the limiter go."""
        await self.limiter.aclose()

    async def _take(self, call: Caller, bucket: Bucket) -> None:
        decision = await self.limiter.take((bucket,))
        limit, backlog = decision.limits[0], decision.backlogs[0]
        call.state["headers"] = _headers(limit, remaining(backlog, limit), seconds(backlog))
        if not decision.allowed:
            raise self._refusal(limit, decision)

    def _refusal(self, limit: Limit, decision: Decision) -> HttpError:
        self.refused[limit.name] += 1
        wait = seconds(decision.wait)
        detail = (
            f"more than {limit.per_minute} requests a minute, {limit.burst} at once: try again in {wait} s"
        )
        return HttpError(429, "rate_limited", detail, headers={"Retry-After": str(wait)})

    def _begin(self, call: Caller, key: str, most: int) -> None:
        """Count a request until the edge has sent its answer."""
        count = self._under_way.get(key, 0)
        call.state["headers"] = _concurrency_headers(most, max(most - count - 1, 0))
        if count >= most:
            self.refused["concurrency"] += 1
            raise HttpError(
                429,
                "rate_limited",
                f"more than {most} requests are under way at once: wait for an answer first",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._under_way[key] = count + 1
        call.state[_UNDER_WAY] = key

    def _answered(self, state: dict[str, Any]) -> None:
        """Count a request as under way no more; one that became a socket is counted there."""
        key = state.pop(_UNDER_WAY, None)
        if key is None:
            return
        left = self._under_way[key] - 1
        if left:
            self._under_way[key] = left
        else:
            del self._under_way[key]

    async def _enter(self, call: Caller) -> Lease | None:
        """Return what counts the socket, None where sockets are not counted; raises HttpError 429."""
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
                f"up to {most} live connections at once: close one first",
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
    """Return whose limits count: an account's for all of its tokens, else an address's."""
    return f"address:{call.address}" if actor.is_anonymous else f"account:{actor.id}"


@lru_cache(maxsize=64)
def _policy(limit: Limit) -> bytes:
    return f'"{limit.name}";q={limit.per_minute};w=60'.encode()


def _headers(limit: Limit, left: int, full_in: int) -> Headers:
    """Return what tells a client where it stands (draft-ietf-httpapi-ratelimit-headers-11)."""
    return [
        (b"ratelimit-policy", _policy(limit)),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (limit.name.encode(), left, full_in)),
    ]


def _concurrency_headers(most: int, left: int) -> Headers:
    return [
        (b"ratelimit-policy", b'"default";q=%d;qu="concurrent-requests"' % most),
        (b"ratelimit", b'"default";r=%d' % left),
    ]
