"""The time as BullMQ counts it."""

import time


def now_ms() -> int:
    """Return the milliseconds since 1970."""
    return round(time.time() * 1000)
