"""Clients of a Redis or Valkey server."""

from typing import Any

import redis

_CONNECTIONS = 32
_CONNECT_SECONDS = 1.0


def connect(url: str, ca_file: str | None = None, *, seconds: float = 5.0) -> "redis.Redis":
    """Return a client of the server at *url* that waits up to *seconds*; TLS trusts *ca_file*."""
    return redis.Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=_CONNECT_SECONDS, **_tls(url, ca_file)
    )


def connect_async(url: str, ca_file: str | None = None, *, seconds: float = 1.0) -> Any:
    """Return a client for the event loop, a `redis.asyncio.Redis`, that waits up to *seconds*."""
    from redis import asyncio as redis_asyncio  # noqa: PLC0415 # only where a server is named

    pool = redis_asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        **_tls(url, ca_file),
    )
    return redis_asyncio.Redis.from_pool(pool)


def _tls(url: str, ca_file: str | None) -> dict[str, Any]:
    return {"ssl_ca_certs": ca_file} if url.startswith("rediss://") and ca_file is not None else {}
