"""A cache for answers that are expensive to compute; whatever it loses is computed again."""

import threading
import time
from collections import OrderedDict
from typing import Protocol

MOST_VALUE_BYTES = 4 * 1024 * 1024
_NOTHING = (0.0, b"")


class Cache(Protocol):
    """Values under keys, for a limited time; callable from any thread.

    A cache that is unavailable returns None and stores nothing. Nor is a value stored that is larger than
    4 MiB: it is computed again.
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
    """Keep up to *size* values in this process, of *most_bytes* together."""

    def __init__(self, size: int = 256, most_bytes: int = 32 * 1024 * 1024) -> None:
        """Start empty."""
        self._size = size
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """Return the value under *key*."""
        entry = self._values.get(key)
        return entry[1] if entry is not None and entry[0] > time.monotonic() else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Store *value* under *key*, unless it is too large; then nothing is under the key."""
        with self._lock:
            self._bytes -= len(self._values.pop(key, _NOTHING)[1])
            if len(value) > MOST_VALUE_BYTES:
                return
            self._values[key] = (time.monotonic() + seconds, value)
            self._bytes += len(value)
            while len(self._values) > self._size or self._bytes > self._most_bytes:
                self._bytes -= len(self._values.popitem(last=False)[1][1])

    def forget(self) -> None:
        """Forget every value."""
        with self._lock:
            self._values.clear()
            self._bytes = 0

    def erase(self) -> None:
        """Forget every value."""
        self.forget()
