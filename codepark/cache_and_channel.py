"""The cache and the channel of this process: in Valkey, in the Redis that the settings name, or in memory."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
import structlog

from codepark.settings import Settings
from commands.log import EventLog
from domain.record import Record
from projections.cache import Cache, MemoryCache
from projections.redis.cache import RedisCache
from projections.redis.channel import PositionPublisher

if TYPE_CHECKING:
    from codepark.valkey import Valkey

CHANNEL = "positions"
_CONNECTIONS = 32

logger = structlog.get_logger(__name__)


class SharedMemory:
    """What is shared between processes and may be lost at any time."""

    def __init__(self, settings: Settings, logs: Iterable[EventLog]) -> None:
        """Connect to the Redis of *settings*, or start a Valkey server of our own; publish how far *logs* are."""
        self._valkey = None
        self.url = settings.redis_url if settings.redis is None else settings.redis.pubsub
        cache_url = self.url if settings.redis is None else settings.redis.cache
        if self.url is None:
            self._valkey, self.url = _own_server()
            cache_url = self.url
        self.cache: Cache = MemoryCache()
        self._publisher: PositionPublisher | None = None
        if self.url is not None and cache_url is not None:
            self.cache = RedisCache(connect(cache_url, settings.redis_ca_file), f"{settings.prefix}cache.")
            self._publisher = PositionPublisher(
                connect(self.url, settings.redis_ca_file), f"{settings.prefix}{CHANNEL}"
            )
            self._last = {log.number: log.tip().sequence for log in logs}
            for log in logs:
                log.on_append(partial(self._appended, log.number))

    @property
    def pid(self) -> int | None:
        """Return the process id of the server of our own."""
        return None if self._valkey is None else self._valkey.pid

    def close(self) -> None:
        """Stop publishing, and end the server of our own."""
        if self._publisher is not None:
            self._publisher.close()
        if self._valkey is not None:
            self._valkey.close()

    def _appended(self, partition: int, records: Sequence[Record]) -> None:
        if self._publisher is not None:
            self._last[partition] = records[-1].sequence
            self._publisher.publish(sum(self._last.values()))


def connect(url: str, ca_file: str | None = None, *, seconds: float = 5.0) -> "redis.Redis":
    """Return a client of the server at *url* that waits up to *seconds*; *ca_file* is whom TLS trusts."""
    options: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": 1}
    if url.startswith("rediss://") and ca_file is not None:
        options["ssl_ca_certs"] = ca_file
    return redis.Redis.from_url(url, **options)


def connect_async(url: str, ca_file: str | None = None, *, seconds: float = 1.0) -> Any:
    """Return a client for the event loop, a `redis.asyncio.Redis`, that waits up to *seconds*."""
    from redis import asyncio as redis_asyncio  # noqa: PLC0415 # only where a server is named

    options: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    if url.startswith("rediss://") and ca_file is not None:
        options["ssl_ca_certs"] = ca_file
    pool = redis_asyncio.BlockingConnectionPool.from_url(
        url, max_connections=_CONNECTIONS, timeout=seconds, **options
    )
    return redis_asyncio.Redis.from_pool(pool)


def _own_server() -> "tuple[Valkey | None, str | None]":
    try:
        from codepark.valkey import Valkey  # noqa: PLC0415 # there is no wheel for every platform

        server = Valkey()
    except (ImportError, OSError) as error:
        logger.warning("no valkey on this machine; the cache is in memory", reason=str(error))
        return None, None
    return server, f"unix://{server.socket}"
