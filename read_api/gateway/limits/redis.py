"""A limiter that several processes share, in Redis or Valkey, by the server's clock.

All keys have one hash tag, so that on a Redis Cluster too one script may use several of them.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import redis
from msgspec import Struct
from redis.asyncio import Redis

from read_api.gateway.limits.gcra import Bucket, Decision
from read_api.gateway.limits.limiter import (
    DEADLINE_SECONDS,
    Lease,
    LimiterTimeoutError,
    LimiterUnavailableError,
)
from read_api.gateway.limits.script_connection import ScriptConnection

T = TypeVar("T")

LEASE_SECONDS = 30.0
"""How long a socket is still counted after its process has died."""
_DECISIONS_PER_CALL = 64
_RENEWALS_PER_CALL = 500

# `now` and `full_at` are microseconds of the server's clock. A debt is kept behind `full_at`, because a
# backlog above both the capacity and the debt means that the clock was set back. For each bucket come four
# arguments: the capacity, the room that the request needs, its cost, and what it holds already.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answer, key, argument = {}, 1, 1
while argument <= #ARGV do
  local count, wait, backlogs, costs = tonumber(ARGV[argument]), 0, {}, {}
  for i = 0, count - 1 do
    local at = argument + 1 + 4 * i
    local capacity, needed, held = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 3])
    local full_at, debt = string.match(redis.call('GET', KEYS[key + i]) or '0', '^(%d+):?(%d*)$')
    local highest = math.max(capacity, tonumber(debt) or 0)
    backlogs[i] = math.min(math.max((tonumber(full_at) or 0) - now, 0), highest)
    costs[i] = tonumber(ARGV[at + 2])
    if backlogs[i] - held > capacity - needed then
      wait = math.max(wait, backlogs[i] + needed - capacity)
    end
  end
  table.insert(answer, wait)
  for i = 0, count - 1 do
    if wait == 0 then
      local capacity = tonumber(ARGV[argument + 1 + 4 * i])
      backlogs[i] = backlogs[i] + costs[i]
      local stored, milliseconds = string.format('%.0f', now + backlogs[i]), math.ceil(backlogs[i] / 1000)
      if backlogs[i] > capacity then stored = stored .. string.format(':%.0f', backlogs[i]) end
      redis.call('SET', KEYS[key + i], stored, 'PX', math.max(milliseconds, 1))
    end
    table.insert(answer, backlogs[i])
  end
  key, argument = key + count, argument + 1 + 4 * count
end
return answer
"""
_ENTER = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_RENEW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ARGV[1], ARGV[i + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
return #KEYS
"""


class _Waiting(Struct):
    """A request that waits for its decision."""

    buckets: Sequence[Bucket]
    decision: "asyncio.Future[Decision]"


class RedisLimiter:
    """Count in Redis. Requests that arrive while a call is running are decided together in the next call."""

    def __init__(
        self,
        client: Redis,
        prefix: str,
        *,
        deadline: float = DEADLINE_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Call through *client* and wait up to *deadline* seconds; every key begins with *prefix*."""
        self._client = client
        self._prefix = f"{prefix}{{limits}}:"
        self._deadline = deadline
        self._lease = round(lease_seconds * 1000)
        self._process = uuid4().hex[:12]
        self._leases: dict[str, Lease] = {}
        self._waiting: list[_Waiting] = []
        self._deciding: asyncio.Task[None] | None = None
        self._busy = False
        self._renewing: asyncio.Task[None] | None = None
        self._count = 0
        self._take_script = ScriptConnection(client, _TAKE)
        self._enter, self._renew = map(client.register_script, (_ENTER, _RENEW))

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take requests from all of *buckets*, or from none where one of them has too few."""
        waiting = _Waiting(buckets, asyncio.get_running_loop().create_future())
        if self._busy:
            self._waiting.append(waiting)
        else:
            await self._decide_first(waiting)
        return await waiting.decision

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*; return None where it has *most* already."""
        self._count += 1
        lease = Lease(key, f"{self._process}:{self._count}")
        if not await self._in_time(
            self._enter(keys=[self._socket_key(key)], args=[lease.id, most, self._lease])
        ):
            return None
        self._leases[lease.id] = lease
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._keep_renewing())
        return lease

    async def leave(self, lease: Lease) -> None:
        """Stop counting a socket; where the server is unavailable, its lease expires."""
        self._leases.pop(lease.id, None)
        await self._in_time(self._client.zrem(self._socket_key(lease.key), lease.id))

    async def ping(self, seconds: float = 1.0) -> None:
        """Check that the server answers, and open a connection to it; raises LimiterUnavailableError."""
        await self._in_time(self._client.ping(), seconds)

    async def renew(self) -> None:
        """Renew the leases of this process's sockets; raises LimiterUnavailableError."""
        leases = list(self._leases.values())
        for start in range(0, len(leases), _RENEWALS_PER_CALL):
            batch = leases[start : start + _RENEWALS_PER_CALL]
            keys = [self._socket_key(lease.key) for lease in batch]
            await self._in_time(
                self._renew(keys=keys, args=[self._lease, *(lease.id for lease in batch)]), 1.0
            )

    async def aclose(self) -> None:
        """Stop the tasks and close the connections."""
        for task in (self._deciding, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for waiting in self._waiting:
            waiting.decision.cancel()
        await self._take_script.aclose()
        await self._client.aclose()

    async def _decide_first(self, waiting: _Waiting) -> None:
        """Decide a request that found no call running; a task decides those that arrive meanwhile."""
        self._busy = True
        try:
            await self._decide([waiting])
        finally:
            if self._waiting:
                self._deciding = asyncio.create_task(self._decide_waiting())
            else:
                self._busy = False

    async def _decide_waiting(self) -> None:
        """Decide batches until no request waits."""
        try:
            while self._waiting:
                batch = self._waiting[:_DECISIONS_PER_CALL]
                self._waiting = self._waiting[_DECISIONS_PER_CALL:]
                await self._decide(batch)
        finally:
            self._busy = False

    async def _decide(self, batch: list[_Waiting]) -> None:
        keys = [f"{self._prefix}{bucket.key}" for waiting in batch for bucket in waiting.buckets]
        args: list[int] = []
        for waiting in batch:
            args.append(len(waiting.buckets))
            for bucket in waiting.buckets:
                held = bucket.held * bucket.limit.interval
                args += (bucket.limit.capacity, bucket.needed, bucket.cost, held)
        try:
            answer: list[int] = await self._in_time(self._take_script.run(keys, args))
        except LimiterUnavailableError as error:
            for waiting in batch:
                if not waiting.decision.done():
                    waiting.decision.set_exception(error)
            return
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.decision.cancel()
            raise
        start = 0
        for waiting in batch:
            end = start + 1 + len(waiting.buckets)
            limits = tuple(bucket.limit for bucket in waiting.buckets)
            if not waiting.decision.done():  # the request may have been cancelled
                waiting.decision.set_result(Decision(answer[start], tuple(answer[start + 1 : end]), limits))
            start = end

    async def _keep_renewing(self) -> None:
        pause = self._lease / 3_000
        while True:
            await asyncio.sleep(pause)
            try:
                await self.renew()
            except LimiterUnavailableError:
                continue  # a request that needs a decision reports it; the next renewal may succeed

    async def _in_time(self, answer: Awaitable[T], seconds: float | None = None) -> T:
        try:
            async with asyncio.timeout(self._deadline if seconds is None else seconds):
                return await answer
        except TimeoutError as error:
            raise LimiterTimeoutError("no answer in time") from error
        except (redis.RedisError, OSError) as error:
            raise LimiterUnavailableError(str(error) or type(error).__name__) from error

    def _socket_key(self, key: str) -> str:
        return f"{self._prefix}sockets:{key}"


def connect(url: str, ca_file: str | None = None) -> Redis:
    """Return a client of the server at *url* that never retries; TLS trusts the authority in *ca_file*.

    The client itself has no timeout for answers, because every caller sets a deadline.
    """
    options: dict[str, Any] = {
        "socket_timeout": None,
        "socket_connect_timeout": 1,
        "retry": None,
        "health_check_interval": 0,
    }
    if url.startswith("rediss://") and ca_file is not None:
        options["ssl_ca_certs"] = ca_file
    client: Redis = Redis.from_url(url, **options)
    return client
