"""Counters of sign-in attempts.

An attempt is counted before the secret is checked, so that a caller gains nothing by sending many at once.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from redis.exceptions import RedisError

FREE_ATTEMPTS = 5
NEVER = -1
LONGEST_DELAY_SECONDS = 300
_ATTEMPT_SECONDS = 3600
_SUCCESS_SECONDS = 30 * 24 * 3600
_MOST_KEYS = 10_000
_MOST_GUARDS = 50_000
"""How many keys that guard a secret have a counter in memory: more than accounts are attacked at once."""

logger = structlog.get_logger(__name__)


def delay_after(attempts: int) -> int:
    """Return the seconds to wait after so many failed *attempts*: 0 for up to four, then 1, 2, 4, … 300."""
    return 0 if attempts < FREE_ATTEMPTS else min(2 ** (attempts - FREE_ATTEMPTS), LONGEST_DELAY_SECONDS)


class Attempts(Protocol):
    """Counts attempts under a key. They are forgotten an hour after the last one, or when one succeeds."""

    async def attempt(self, key: str, most: int | None = None, *, guards: bool = True) -> int:
        """Count an attempt and return 0, or return the seconds to wait where it comes too early.

        With *most*, return NEVER once that many attempts were counted. A key that *guards* nothing, such as
        one of an address without an account, never takes the place of one that does.
        """
        ...

    async def clear(self, key: str) -> None:
        """Forget the attempts under *key*, because one succeeded."""
        ...

    async def remember_success(self, key: str) -> None:
        """Remember for 30 days that an attempt under *key* succeeded."""
        ...

    async def succeeded_recently(self, key: str) -> bool:
        """Return whether an attempt under *key* succeeded in the last 30 days."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class _Counts:
    """Up to *most* counters; the one that delays its key least makes room, of several the oldest."""

    def __init__(self, most: int) -> None:
        """Start without counters."""
        self._most = most
        self._counts: dict[str, int] = {}
        self._by_count: dict[int, OrderedDict[str, float]] = {}

    def get(self, key: str) -> tuple[int, float] | None:
        """Return the attempts under *key* and the time of the last one."""
        count = self._counts.get(key)
        return None if count is None else (count, self._by_count[count][key])

    def put(self, key: str, count: int, now: float) -> None:
        """Store the attempts under *key*, and make room for them."""
        self.drop(key)
        if len(self._counts) >= self._most:
            self.drop(next(iter(self._by_count[min(self._by_count)])))
        self._counts[key] = count
        self._by_count.setdefault(count, OrderedDict())[key] = now

    def drop(self, key: str) -> None:
        """Forget the attempts under *key*."""
        count = self._counts.pop(key, None)
        if count is not None:
            keys = self._by_count[count]
            del keys[key]
            if not keys:
                del self._by_count[count]


class MemoryAttempts:
    """Count in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without attempts; *clock* returns seconds."""
        self._clock = clock
        self._guarding = _Counts(_MOST_GUARDS)
        self._others = _Counts(_MOST_KEYS)
        self._succeeded: OrderedDict[str, float] = OrderedDict()

    async def attempt(self, key: str, most: int | None = None, *, guards: bool = True) -> int:
        """Count an attempt, or return the seconds to wait."""
        counts, now = self._guarding if guards else self._others, self._clock()
        count, since = counts.get(key) or (0, now)
        if now - since >= _ATTEMPT_SECONDS:
            count = 0
        if most is not None and count >= most:
            return NEVER
        wait = since + delay_after(count) - now
        if wait > 0:
            return max(1, round(wait))
        counts.put(key, count + 1, now)
        return 0

    async def clear(self, key: str) -> None:
        """Forget the attempts under *key*."""
        self._guarding.drop(key)
        self._others.drop(key)

    async def remember_success(self, key: str) -> None:
        """Remember that an attempt under *key* succeeded."""
        self._succeeded.pop(key, None)
        while len(self._succeeded) >= _MOST_KEYS:
            self._succeeded.popitem(last=False)
        self._succeeded[key] = self._clock() + _SUCCESS_SECONDS

    async def succeeded_recently(self, key: str) -> bool:
        """Return whether an attempt under *key* succeeded recently."""
        return self._succeeded.get(key, -math.inf) > self._clock()

    async def close(self) -> None:
        """Do nothing: there is no connection."""


_SCRIPT = """
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or '0')
local most = tonumber(ARGV[4])
if most >= 0 and count >= most then return -1 end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local since = tonumber(redis.call('HGET', KEYS[1], 'since') or now)
local delay = 0
if count >= tonumber(ARGV[1]) then
  delay = math.min(2 ^ math.min(count - tonumber(ARGV[1]), 30), tonumber(ARGV[2]))
end
local wait = since + delay - now
if wait > 0 then return math.max(1, math.floor(wait + 0.5)) end
redis.call('HSET', KEYS[1], 'count', count + 1, 'since', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 0
"""


class RedisAttempts:
    """Count in Redis, for all processes together; while it is unavailable, each process counts for itself."""

    def __init__(self, client: Any, prefix: str) -> None:
        """Count under *prefix* with *client*, a `redis.asyncio.Redis`."""
        self._client = client
        self._prefix = prefix
        self._script = client.register_script(_SCRIPT)
        self._local = MemoryAttempts()

    async def attempt(self, key: str, most: int | None = None, *, guards: bool = True) -> int:
        """Count an attempt, or return the seconds to wait; Redis keeps each key until its hour has passed."""
        arguments = [
            FREE_ATTEMPTS,
            LONGEST_DELAY_SECONDS,
            _ATTEMPT_SECONDS,
            NEVER if most is None else most,
        ]
        try:
            return int(await self._script(keys=[self._prefix + key], args=arguments))
        except (RedisError, OSError) as error:
            logger.warning(
                "Redis is unavailable: this process counts sign-in attempts for itself", reason=str(error)
            )
            return await self._local.attempt(key, most, guards=guards)

    async def clear(self, key: str) -> None:
        """Forget the attempts under *key*."""
        await self._local.clear(key)
        try:
            await self._client.delete(self._prefix + key)
        except (RedisError, OSError) as error:
            logger.warning("Redis is unavailable: sign-in attempts were not forgotten", reason=str(error))

    async def remember_success(self, key: str) -> None:
        """Remember that an attempt under *key* succeeded."""
        await self._local.remember_success(key)
        try:
            await self._client.set(f"{self._prefix}succeeded:{key}", b"", ex=_SUCCESS_SECONDS)
        except (RedisError, OSError) as error:
            logger.warning("Redis is unavailable: this process alone remembers a sign-in", reason=str(error))

    async def succeeded_recently(self, key: str) -> bool:
        """Return whether an attempt under *key* succeeded recently."""
        try:
            return bool(await self._client.exists(f"{self._prefix}succeeded:{key}"))
        except (RedisError, OSError):
            return await self._local.succeeded_recently(key)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
