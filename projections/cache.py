"""A cache for answers that are dear to compute; whatever it forgets is computed again."""

import time
from collections import OrderedDict
from typing import Protocol


class Cache(Protocol):
    """Values under keys for a while. Callable from any thread; a cache that is away answers None and takes nothing."""

    def get(self, key: str) -> bytes | None:
        """Return the value under *key*, None where there is none."""
        ...

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Keep *value* under *key* for up to *seconds*."""
        ...

    def forget(self) -> None:
        """Forget every value."""
        ...

    def erase(self) -> None:
        """Forget every value, and leave none of them anywhere."""
        ...


class MemoryCache:
    """Keep up to *size* values in this process."""

    def __init__(self, size: int = 256) -> None:
        """Start empty."""
        self._size = size
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """Return the value under *key*."""
        found = self._values.get(key)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Keep *value* under *key*."""
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
