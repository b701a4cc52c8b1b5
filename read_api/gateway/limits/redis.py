"""Limits that several processes share, in Redis or Valkey, by the server's clock.

All keys have one hash tag, so that one script may touch several of them on a Redis Cluster too.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import redis
from msgspec import Struct
from redis.asyncio import Redis

from read_api.gateway.limits.gcra import Bucket, Decision
from read_api.gateway.limits.limiter import DEADLINE_SECONDS, Lease, LimiterAwayError, LimiterSlowError
from read_api.gateway.limits.link import ScriptLink

T = TypeVar("T")

LEASE_SECONDS = 30.0
"""A socket of a process that died is counted for so long."""
_BATCH = 64
_RENEWED = 500

# A moment is microseconds of the server's clock. A backlog above the capacity means that the clock was set back.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answer, key, place = {}, 1, 1
while place <= #ARGV do
  local count, wait, backlogs = tonumber(ARGV[place]), 0, {}
  for i = 0, count - 1 do
    local interval, capacity = tonumber(ARGV[place + 1 + 2 * i]), tonumber(ARGV[place + 2 + 2 * i])
    local full_at = tonumber(redis.call('GET', KEYS[key + i]) or 0)
    backlogs[i] = math.min(math.max(full_at - now, 0), capacity)
    wait = math.max(wait, backlogs[i] + interval - capacity)
  end
  table.insert(answer, wait)
  for i = 0, count - 1 do
    if wait == 0 then
      backlogs[i] = backlogs[i] + ARGV[place + 1 + 2 * i]
      redis.call('SET', KEYS[key + i], string.format('%.0f', now + backlogs[i]), 'PX', math.ceil(backlogs[i] / 1000))
    end
    table.insert(answer, backlogs[i])
  end
  key, place = key + count, place + 1 + 2 * count
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


class _Asked(Struct):
    """Somebody who waits for a decision."""

    buckets: Sequence[Bucket]
    answer: "asyncio.Future[Decision]"


class RedisLimiter:
    """Count in Redis. Requests that come while one question is under way go together in the next one."""

    def __init__(
        self,
        client: Redis,
        prefix: str,
        *,
        deadline: float = DEADLINE_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Ask through *client* for up to *deadline* seconds; every key begins with *prefix*."""
        self._client = client
        self._prefix = f"{prefix}{{limits}}:"
        self._deadline = deadline
        self._lease = round(lease_seconds * 1000)
        self._process = uuid4().hex[:12]
        self._leases: dict[str, Lease] = {}
        self._asked: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None
        self._busy = False
        self._renewing: asyncio.Task[None] | None = None
        self._count = 0
        self._link = ScriptLink(client, _TAKE)
        self._enter, self._renew = map(client.register_script, (_ENTER, _RENEW))

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take one request from all of *buckets*, or from none where one of them is empty."""
        asked = _Asked(buckets, asyncio.get_running_loop().create_future())
        if self._busy:
            self._asked.append(asked)
        else:
            await self._lead(asked)
        return await asked.answer

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*, or return None where it has *most* already."""
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
        """Count a socket no more; where that cannot be told, its lease runs out."""
        self._leases.pop(lease.id, None)
        await self._in_time(self._client.zrem(self._socket_key(lease.key), lease.id))

    async def ping(self, seconds: float = 1.0) -> None:
        """Ask whether the server is there, and open a connection to it; raises LimiterAwayError."""
        await self._in_time(self._client.ping(), seconds)

    async def renew(self) -> None:
        """Say that the sockets of this process are still there; raises LimiterAwayError."""
        leases = list(self._leases.values())
        for start in range(0, len(leases), _RENEWED):
            some = leases[start : start + _RENEWED]
            keys = [self._socket_key(lease.key) for lease in some]
            await self._in_time(
                self._renew(keys=keys, args=[self._lease, *(lease.id for lease in some)]), 1.0
            )

    async def aclose(self) -> None:
        """End the tasks and the connections."""
        for task in (self._asking, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for asked in self._asked:
            asked.answer.cancel()
        await self._link.aclose()
        await self._client.aclose()

    async def _lead(self, asked: _Asked) -> None:
        """Ask for one who found nobody asking, and leave who came meanwhile to a task."""
        self._busy = True
        try:
            await self._decide([asked])
        finally:
            if self._asked:
                self._asking = asyncio.create_task(self._ask())
            else:
                self._busy = False

    async def _ask(self) -> None:
        """Ask until nobody waits."""
        try:
            while self._asked:
                batch, self._asked = self._asked[:_BATCH], self._asked[_BATCH:]
                await self._decide(batch)
        finally:
            self._busy = False

    async def _decide(self, batch: list[_Asked]) -> None:
        keys = [f"{self._prefix}{bucket.key}" for asked in batch for bucket in asked.buckets]
        args: list[int] = []
        for asked in batch:
            args.append(len(asked.buckets))
            for bucket in asked.buckets:
                args += (bucket.limit.interval, bucket.limit.capacity)
        try:
            found: list[int] = await self._in_time(self._link.run(keys, args))
        except LimiterAwayError as error:
            for asked in batch:
                if not asked.answer.done():
                    asked.answer.set_exception(error)
            return
        except asyncio.CancelledError:
            for asked in batch:
                asked.answer.cancel()
            raise
        place = 0
        for asked in batch:
            end = place + 1 + len(asked.buckets)
            limits = tuple(bucket.limit for bucket in asked.buckets)
            if not asked.answer.done():  # who asked may have gone
                asked.answer.set_result(Decision(found[place], tuple(found[place + 1 : end]), limits))
            place = end

    async def _keep_renewing(self) -> None:
        pause = self._lease / 3_000
        while True:
            await asyncio.sleep(pause)
            try:
                await self.renew()
            except LimiterAwayError:
                continue  # said once by who asks for decisions; the next time may be in time

    async def _in_time(self, answer: Awaitable[T], seconds: float | None = None) -> T:
        try:
            async with asyncio.timeout(self._deadline if seconds is None else seconds):
                return await answer
        except TimeoutError as error:
            raise LimiterSlowError("no answer in time") from error
        except (redis.RedisError, OSError) as error:
            raise LimiterAwayError(str(error) or type(error).__name__) from error

    def _socket_key(self, key: str) -> str:
        return f"{self._prefix}sockets:{key}"


def connect(url: str, ca_file: str | None = None) -> Redis:
    """Return a client of the server at *url* that never tries twice; *ca_file* is whom TLS trusts.

    It waits for ever: who asks has a deadline.
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
