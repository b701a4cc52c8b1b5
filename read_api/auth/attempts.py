"""How often somebody may guess: attempts are counted before they are checked, so that many at once gain nothing."""

import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from redis.exceptions import RedisError

FREE_ATTEMPTS = 5
NEVER = -1
LONGEST_DELAY_SECONDS = 300
_FORGOTTEN_SECONDS = 3600
_REMEMBERED_SECONDS = 30 * 24 * 3600
_KEPT = 10_000

logger = structlog.get_logger(__name__)


def delay_after(attempts: int) -> int:
    """Return how many seconds nobody may try again after so many *attempts* that failed: 1, 2, 4 … behind the fifth."""
    return 0 if attempts < FREE_ATTEMPTS else min(2 ** (attempts - FREE_ATTEMPTS), LONGEST_DELAY_SECONDS)


class Attempts(Protocol):
    """Counts attempts under a key, until they are forgotten an hour after the last or one succeeds."""

    async def attempt(self, key: str, most: int | None = None) -> int:
        """Count an attempt and return 0, or return how many seconds to wait where it comes too early.

        With *most*, NEVER is returned once there were so many.
        """
        ...

    async def clear(self, key: str) -> None:
        """Forget the attempts under *key*: one succeeded."""
        ...

    async def remember(self, key: str) -> None:
        """Remember for a month that an attempt under *key* succeeded."""
        ...

    async def knows(self, key: str) -> bool:
        """Tell whether an attempt under *key* succeeded in the last month."""
        ...

    async def close(self) -> None:
        """Release what is held."""
        ...


class MemoryAttempts:
    """Count in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with none; *clock* tells seconds."""
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}
        self._succeeded: dict[str, float] = {}

    async def attempt(self, key: str, most: int | None = None) -> int:
        """Count an attempt, or return how many seconds to wait."""
        now = self._clock()
        count, since = self._known.pop(key, (0, now))
        if now - since >= _FORGOTTEN_SECONDS:
            count = 0
        wait = since + delay_after(count) - now
        spent = most is not None and count >= most
        if spent or wait > 0:
            self._known[key] = (count, since)
            return NEVER if spent else max(1, round(wait))
        while len(self._known) >= _KEPT:  # the ones that were tried longest ago
            del self._known[next(iter(self._known))]
        self._known[key] = (count + 1, now)
        return 0

    async def clear(self, key: str) -> None:
        """Forget the attempts under *key*."""
        self._known.pop(key, None)

    async def remember(self, key: str) -> None:
        """Remember that an attempt under *key* succeeded."""
        self._succeeded.pop(key, None)
        while len(self._succeeded) >= _KEPT:
            del self._succeeded[next(iter(self._succeeded))]
        self._succeeded[key] = self._clock() + _REMEMBERED_SECONDS

    async def knows(self, key: str) -> bool:
        """Tell whether an attempt under *key* succeeded."""
        return self._succeeded.get(key, -math.inf) > self._clock()

    async def close(self) -> None:
        """Do nothing: nothing is held."""


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
    """Count in Redis, for all processes; while it is away, each process counts for itself."""

    def __init__(self, client: Any, prefix: str) -> None:
        """Count under *prefix* with *client*, a `redis.asyncio.Redis`."""
        self._client = client
        self._prefix = prefix
        self._script = client.register_script(_SCRIPT)
        self._local = MemoryAttempts()

    async def attempt(self, key: str, most: int | None = None) -> int:
        """Count an attempt, or return how many seconds to wait."""
        arguments = [
            FREE_ATTEMPTS,
            LONGEST_DELAY_SECONDS,
            _FORGOTTEN_SECONDS,
            NEVER if most is None else most,
        ]
        try:
            return int(await self._script(keys=[self._prefix + key], args=arguments))
        except (RedisError, OSError) as error:
            logger.warning("attempts are counted in this process alone", reason=str(error))
            return await self._local.attempt(key, most)

    async def clear(self, key: str) -> None:
        """Forget the attempts under *key*."""
        await self._local.clear(key)
        try:
            await self._client.delete(self._prefix + key)
        except (RedisError, OSError) as error:
            logger.warning("attempts could not be forgotten", reason=str(error))

    async def remember(self, key: str) -> None:
        """Remember that an attempt under *key* succeeded."""
        await self._local.remember(key)
        try:
            await self._client.set(f"{self._prefix}succeeded:{key}", b"", ex=_REMEMBERED_SECONDS)
        except (RedisError, OSError) as error:
            logger.warning("a success could not be remembered", reason=str(error))

    async def knows(self, key: str) -> bool:
        """Tell whether an attempt under *key* succeeded."""
        try:
            return bool(await self._client.exists(f"{self._prefix}succeeded:{key}"))
        except (RedisError, OSError):
            return await self._local.knows(key)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
