"""The cache in Redis. Keys carry a generation, so that forgetting everything is one increment."""

import redis
import structlog

from projections.cache import MOST_VALUE_BYTES
from telemetry import tracing

logger = structlog.get_logger(__name__)

_SCANNED = 1_000
_GET = {"db.system.name": "redis", "db.operation.name": "GET"}
_SET = {"db.system.name": "redis", "db.operation.name": "SET"}


class RedisCache:
    """Store values in Redis; while Redis is unavailable, store nothing and log that once."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        """Use *client*; every key begins with *prefix*."""
        self._client = client
        self._prefix = prefix
        self._unavailable = False

    def get(self, key: str) -> bytes | None:
        """Return the value under *key*."""
        try:
            with tracing.part("get cached", tracing.Kind.CLIENT, _GET):
                value = self._client.get(self._key(key))
        except redis.RedisError as error:
            self._failed(error)
            return None
        self._unavailable = False
        return value if isinstance(value, bytes) else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Store *value* under *key*, unless it is too large."""
        if len(value) > MOST_VALUE_BYTES:
            return
        try:
            with tracing.part("put into the cache", tracing.Kind.CLIENT, _SET):
                self._client.set(self._key(key), value, ex=seconds)
        except redis.RedisError as error:
            self._failed(error)

    def forget(self) -> None:
        """Forget every value: no key of the next generation has one."""
        try:
            self._client.incr(f"{self._prefix}generation")
        except redis.RedisError as error:
            self._failed(error)

    def erase(self) -> None:
        """Forget every value, and delete those of earlier generations, which would stay until they expire."""
        self.forget()
        try:
            for key in self._client.scan_iter(match=f"{self._prefix}*:*", count=_SCANNED):
                self._client.unlink(key)
        except redis.RedisError as error:
            self._failed(error)

    def _key(self, key: str) -> str:
        generation = self._client.get(f"{self._prefix}generation")
        return f"{self._prefix}{generation.decode() if isinstance(generation, bytes) else 0}:{key}"

    def _failed(self, error: redis.RedisError) -> None:
        if not self._unavailable:
            self._unavailable = True
            logger.warning("cache unavailable", reason=str(error))
