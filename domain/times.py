"""Times as the contract writes them: RFC 3339, UTC, milliseconds."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Clock = Callable[[], int]
"""A function that returns the time in milliseconds since the epoch."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """Return the machine's time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=1_024)
def rfc3339(milliseconds: int) -> str:
    """Return *milliseconds* since the epoch as an RFC 3339 text in UTC."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def from_rfc3339(text: str) -> int:
    """Return the milliseconds since the epoch of an RFC 3339 *text* with an offset; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset such as Z or +01:00")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
