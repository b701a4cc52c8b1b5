"""Composed answers that several processes share: cache-aside, in Redis where the cluster profile runs.

An entry carries the sequence that the read models included before it was composed. It answers only where that includes
every touch of its key that this process knows of, so that a lost invalidation costs a miss and never a stale answer.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from projections.cache import Cache

T = TypeVar("T")

OBJECT_SECONDS = 300
LIST_SECONDS = 3_600
_TOUCHES = 10_000


class SharedAnswers:
    """Answers by name in a cache, each good from a sequence on."""

    def __init__(self, cache: Cache, sequence: Callable[[], int]) -> None:
        """Keep answers in *cache*; *sequence* tells what all read models include now."""
        self._cache = cache
        self._sequence = sequence
        self._touched: dict[str, int] = {}
        self._floor: int | None = None
        self._lock = threading.Lock()

    def get(self, kind: str, key: str, seconds: int, type_: type[T], compose: Callable[[], T]) -> T:
        """Return the answer of *kind* under *key*, composed now and kept for *seconds* where none is good enough."""
        name, needed = f"{kind}:{key}", self._needed(key)
        raw = self._cache.get(name)
        if raw is not None:
            found = _read(raw, type_)
            if found is not None and found[0] >= needed:
                return found[1]
        before = self._sequence()
        made = compose()
        self._cache.put(name, msgspec.msgpack.encode((before, made)), seconds)
        return made

    def touch(self, keys: Iterable[str] | None, upto: int) -> None:
        """Take no entry under *keys* (None: any) that does not include *upto*."""
        with self._lock:
            if keys is None or len(self._touched) > _TOUCHES:
                self._floor = max(upto, self._floor or 0, *self._touched.values())
                self._touched.clear()
            for key in keys or ():
                self._touched[key] = max(upto, self._touched.get(key, 0))

    def _needed(self, key: str) -> int:
        """Return what an entry must include; what was touched before this process began to listen is not known."""
        with self._lock:
            if self._floor is None:
                self._floor = self._sequence()
            return max(self._floor, self._touched.get(key, 0))


def _read(raw: bytes, type_: type[T]) -> tuple[int, T] | None:
    """Read an entry, None where another release wrote it."""
    try:
        found: tuple[int, Any] = msgspec.msgpack.decode(raw, type=tuple[int, type_])  # type: ignore[valid-type] # at run time
    except msgspec.MsgspecError:
        return None
    return found
