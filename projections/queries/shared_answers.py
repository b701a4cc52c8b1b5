"""Composed answers that several processes share: cache-aside, in Redis in the cluster profile.

An entry carries, by partition, the sequences that the read models included before it was composed: of its own
partition, and of others that it may have been composed from (accounts have a partition of their own). An
entry is used only if these include every touch of its key that this process knows of, so that a lost
invalidation costs a miss and never a stale answer.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from projections.cache import Cache
from telemetry.instruments import CACHED_ANSWERS

T = TypeVar("T")

Sequences = Mapping[int, int]
"""Sequences by partition; a partition that is not named is at its start."""

OBJECT_SECONDS = 300
LIST_SECONDS = 3_600
_TOUCHES = 10_000
_SHARED = CACHED_ANSWERS.labels("shared")


class SharedAnswers:
    """Answers by name in a cache, each with the sequences that it includes."""

    def __init__(self, cache: Cache, reached: Callable[[], Sequences]) -> None:
        """Keep answers in *cache*; *reached* returns what all read models include now."""
        self._cache = cache
        self._reached = reached
        self._touched: dict[str, Sequences] = {}
        self._floor: Sequences | None = None
        self._lock = threading.Lock()

    def get(
        self,
        kind: str,
        key: str,
        seconds: int,
        type_: type[T],
        compose: Callable[[], T],
        *,
        keep: Callable[[T], bool] | None = None,
    ) -> T:
        """Return the answer of *kind* under *key*, else compose it and keep it for *seconds*."""
        return self.get_many(kind, [key], seconds, type_, lambda _: {key: compose()}, keep=keep)[key]

    def get_many(
        self,
        kind: str,
        keys: Sequence[str],
        seconds: int,
        type_: type[T],
        compose: Callable[[list[str]], Mapping[str, T]],
        *,
        keep: Callable[[T], bool] | None = None,
    ) -> dict[str, T]:
        """Return the answers of *kind* under *keys*; those without a recent entry are composed together.

        Composed answers that *keep* refuses are not kept.
        """
        answers: dict[str, T] = {}
        for key in keys:
            raw = self._cache.get(f"{kind}:{key}")
            entry = None if raw is None else _read(raw, type_)
            if entry is not None and includes(entry[0], self._needed(key)):
                answers[key] = entry[1]
        missing = [key for key in keys if key not in answers]
        _SHARED.inc(len(answers))
        if missing:
            before = dict(self._reached())
            composed = compose(missing)
            for key in missing:
                answers[key] = composed[key]
                if keep is not None and not keep(composed[key]):
                    continue
                self._cache.put(f"{kind}:{key}", msgspec.msgpack.encode((before, composed[key])), seconds)
        return {key: answers[key] for key in keys}

    def touch(self, keys: Iterable[str] | None, through: Sequences) -> None:
        """Use no entry under *keys* (None: under any key) that does not include *through*."""
        with self._lock:
            if keys is None or len(self._touched) > _TOUCHES:
                self._floor = latest(through, self._floor or {}, *self._touched.values())
                self._touched.clear()
            for key in keys or ():
                self._touched[key] = latest(through, self._touched.get(key, {}))

    def erase(self) -> None:
        """Delete every answer from the cache."""
        self._cache.erase()

    def _needed(self, key: str) -> Sequences:
        """Return what an entry must include; touches before this process began to listen are not known."""
        with self._lock:
            if self._floor is None:
                self._floor = self._reached()
            touched = self._touched.get(key)
            return self._floor if touched is None else latest(self._floor, touched)


def includes(reached: Sequences, needed: Sequences) -> bool:
    """Return whether *reached* is at or beyond *needed* in every partition."""
    return all(reached.get(partition, 0) >= sequence for partition, sequence in needed.items())


def latest(*positions: Sequences) -> Sequences:
    """Return the highest sequence of *positions* in each partition."""
    highest: dict[int, int] = {}
    for sequences in positions:
        for partition, sequence in sequences.items():
            highest[partition] = max(sequence, highest.get(partition, 0))
    return highest


def _read(raw: bytes, type_: type[T]) -> tuple[Sequences, T] | None:
    """Read an entry; None if another release wrote it in another form."""
    try:
        entry: tuple[dict[int, int], Any] = msgspec.msgpack.decode(raw, type=tuple[dict[int, int], type_])  # type: ignore[valid-type] # at run time
    except msgspec.MsgspecError:
        return None
    return entry
