"""A cache for answers that are expensive to compute; whatever it loses is computed again."""

import time
from collections import OrderedDict
from typing import Protocol


class Cache(Protocol):
    """Values under keys, for a limited time; callable from any thread.

    A cache that is unavailable returns None and stores nothing.
    """

    def get(self, key: str) -> bytes | None:
        """Return the value under *key*, None where there is none."""
        ...

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Store *value* under *key* for up to *seconds*."""
        ...

    def forget(self) -> None:
        """Forget every value."""
        ...

    def erase(self) -> None:
        """Forget every value, and delete what the cache has stored of them."""
        ...


class MemoryCache:
    """Keep up to *size* values in this process."""

    def __init__(self, size: int = 256) -> None:
        """Start empty."""
        self._size = size
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """Return the value under *key*."""
        entry = self._values.get(key)
        return entry[1] if entry is not None and entry[0] > time.monotonic() else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Store *value* under *key*."""
        self._values[key] = (time.monotonic() + seconds, value)
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)

    def forget(self) -> None:
        """Forget every value."""
        self._values.clear()

    def erase(self) -> None:
        """Forget every value."""
        self.forget()
