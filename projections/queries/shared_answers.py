"""Composed answers that several processes share: cache-aside, in Redis where the cluster profile runs.

An entry carries, by partition, the sequences that the read models included before it was composed: of its own
partition, and of the others that it may have been composed from (people live in that of the accounts). It answers only
where these include every touch of its key that this process knows of, so that a lost invalidation costs a miss and never
a stale answer.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from projections.cache import Cache

T = TypeVar("T")

Sequences = Mapping[int, int]
"""How far, by partition; one that is not named is at its start."""

OBJECT_SECONDS = 300
LIST_SECONDS = 3_600
_TOUCHES = 10_000


class SharedAnswers:
    """Answers by name in a cache, each good from a place on."""

    def __init__(self, cache: Cache, reached: Callable[[], Sequences]) -> None:
        """Keep answers in *cache*; *reached* tells what all read models include now."""
        self._cache = cache
        self._reached = reached
        self._touched: dict[str, Sequences] = {}
        self._floor: Sequences | None = None
        self._lock = threading.Lock()

    def get(self, kind: str, key: str, seconds: int, type_: type[T], compose: Callable[[], T]) -> T:
        """Return the answer of *kind* under *key*, composed now and kept for *seconds* where none is good enough."""
        return self.get_many(kind, [key], seconds, type_, lambda _: {key: compose()})[key]

    def get_many(
        self,
        kind: str,
        keys: Sequence[str],
        seconds: int,
        type_: type[T],
        compose: Callable[[list[str]], Mapping[str, T]],
    ) -> dict[str, T]:
        """Return the answers of *kind* under *keys*; those of which none is good enough are composed together."""
        found: dict[str, T] = {}
        for key in keys:
            raw = self._cache.get(f"{kind}:{key}")
            kept = None if raw is None else _read(raw, type_)
            if kept is not None and includes(kept[0], self._needed(key)):
                found[key] = kept[1]
        missing = [key for key in keys if key not in found]
        if missing:
            before = dict(self._reached())
            made = compose(missing)
            for key in missing:
                found[key] = made[key]
                self._cache.put(f"{kind}:{key}", msgspec.msgpack.encode((before, made[key])), seconds)
        return {key: found[key] for key in keys}

    def touch(self, keys: Iterable[str] | None, upto: Sequences) -> None:
        """Take no entry under *keys* (None: any) that does not include *upto*."""
        with self._lock:
            if keys is None or len(self._touched) > _TOUCHES:
                self._floor = latest(upto, self._floor or {}, *self._touched.values())
                self._touched.clear()
            for key in keys or ():
                self._touched[key] = latest(upto, self._touched.get(key, {}))

    def erase(self) -> None:
        """Leave no answer anywhere."""
        self._cache.erase()

    def _needed(self, key: str) -> Sequences:
        """Return what an entry must include; what was touched before this process began to listen is not known."""
        with self._lock:
            if self._floor is None:
                self._floor = self._reached()
            touched = self._touched.get(key)
            return self._floor if touched is None else latest(self._floor, touched)


def includes(reached: Sequences, needed: Sequences) -> bool:
    """Tell whether *reached* is nowhere behind *needed*."""
    return all(reached.get(partition, 0) >= sequence for partition, sequence in needed.items())


def latest(*places: Sequences) -> Sequences:
    """Return the furthest of *places* in each partition."""
    found: dict[int, int] = {}
    for place in places:
        for partition, sequence in place.items():
            found[partition] = max(sequence, found.get(partition, 0))
    return found


def _read(raw: bytes, type_: type[T]) -> tuple[Sequences, T] | None:
    """Read an entry, None where another release wrote it."""
    try:
        found: tuple[dict[int, int], Any] = msgspec.msgpack.decode(raw, type=tuple[dict[int, int], type_])  # type: ignore[valid-type] # at run time
    except msgspec.MsgspecError:
        return None
    return found
