"""Connections to the server of the queue, and its errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import asyncio as redis_asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError, ResponseError

from jobs.job import JobsUnavailableError

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
_BLOCKING_SECONDS = 30.0
"""A worker's wait for a job blocks for up to 10 s; a shorter limit would end every wait with an error."""

EVICTION = "noeviction"


def connect_queue(url: str, ca_file: str | None = None, *, blocking: bool = False) -> Any:
    """Return a `redis.asyncio.Redis` for the server at *url*; *blocking* ones may wait for a job."""
    options: dict[str, Any] = {} if url.startswith("unix://") else {"socket_keepalive": True}
    if url.startswith("rediss://") and ca_file is not None:
        options["ssl_ca_certs"] = ca_file
    return redis_asyncio.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_BLOCKING_SECONDS if blocking else _ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        **options,
    )


@contextmanager
def queue_errors() -> Iterator[None]:
    """Raise JobsUnavailableError for whatever the server or the way to it does wrong."""
    try:
        yield
    except ResponseError:
        raise
    except (RedisError, BusyLoadingError, OSError, TimeoutError) as error:
        raise JobsUnavailableError(f"the queue does not answer: {type(error).__name__}") from error


async def eviction_of(url: str, ca_file: str | None = None) -> str | None:
    """Return why the server at *url* would drop jobs when its memory is full, None where it would not.

    A server that does not tell its policy, as some that are hosted, is trusted. Raises JobsUnavailableError.
    """
    client = connect_queue(url, ca_file)
    try:
        with queue_errors():
            info = await client.info("memory")
    finally:
        await client.aclose()
    policy = info.get("maxmemory_policy", EVICTION)
    if policy == EVICTION:
        return None
    return (
        f"the queue's Redis evicts ({policy}): jobs would vanish. Set `maxmemory-policy noeviction`, or name "
        "another server with CODEPARK_REDIS_QUEUE_URL"
    )
