"""Event time as the contract writes it: RFC 3339, UTC, milliseconds."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Clock = Callable[[], int]
"""Milliseconds since the epoch."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """Read the machine's clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=1_024)
def rfc3339(milliseconds: int) -> str:
    """Write *milliseconds* since the epoch as RFC 3339 in UTC."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def from_rfc3339(text: str) -> int:
    """Read RFC 3339 with an offset as milliseconds since the epoch; raise ValueError on anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset such as Z or +01:00")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
