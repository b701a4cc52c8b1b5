"""The cache and the channel of this process: in the Redis of the settings, its own Valkey, or in memory."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog

from codepark.redis_clients import connect
from codepark.settings import Settings
from commands.log import EventLog
from domain.record import Record
from projections.cache import Cache, MemoryCache
from projections.redis.cache import RedisCache
from projections.redis.channel import PositionPublisher

if TYPE_CHECKING:
    from codepark.valkey import Valkey

CHANNEL = "positions"
"""The channel's name, after the prefix of the installation."""

logger = structlog.get_logger(__name__)


class CacheAndChannel:
    """What processes share and may lose at any time: cached answers, and how far the log is."""

    def __init__(self, settings: Settings, logs: Iterable[EventLog]) -> None:
        """Connect to the Redis of *settings*, or start a Valkey; publish how far *logs* are."""
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
            self._publish(self._publisher, logs)

    @property
    def pid(self) -> int | None:
        """Return the process id of this process's own Valkey."""
        return None if self._valkey is None else self._valkey.pid

    def close(self) -> None:
        """Stop publishing, and end this process's own Valkey."""
        if self._publisher is not None:
            self._publisher.close()
        if self._valkey is not None:
            self._valkey.close()

    def _publish(self, publisher: PositionPublisher, logs: Iterable[EventLog]) -> None:
        """Let *publisher* know of every record that is appended to *logs*."""
        last = {log.number: log.tip().sequence for log in logs}

        def appended(partition: int, records: Sequence[Record]) -> None:
            last[partition] = records[-1].sequence
            publisher.publish(sum(last.values()))

        for log in logs:
            log.on_append(partial(appended, log.number))


def _own_server() -> "tuple[Valkey | None, str | None]":
    try:
        from codepark.valkey import Valkey  # noqa: PLC0415 # not every platform has a wheel of it

        server = Valkey()
    except (ImportError, OSError) as error:
        logger.warning("no valkey on this machine; the cache is in memory", reason=str(error))
        return None, None
    return server, f"unix://{server.socket}"
