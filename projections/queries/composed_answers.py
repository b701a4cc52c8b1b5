"""Composed answers, kept in memory until an event touches what they are made of."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from projections.writes import Document
from telemetry.instruments import CACHED_ANSWERS

T = TypeVar("T")

MOST_BYTES = 8 * 1024 * 1024
"""Of JSON; the objects that it is made of take several times as much."""

_REMEMBERED = CACHED_ANSWERS.labels("memory")
_COMPOSED = CACHED_ANSWERS.labels("composed")
_LARGEST_PART = 4
_TOUCHES = 10_000


class Rendered(Struct, frozen=True):
    """A composed document with its JSON, and a digest of the JSON for an entity tag."""

    bare: Document
    document: Document
    body: bytes
    digest: str


def render(bare: Document, document: Document) -> Rendered:
    """Return *document*, which was composed from *bare* and others, ready to be sent."""
    body = msgspec.json.encode(document)
    return Rendered(bare, document, body, hashlib.blake2b(body, digest_size=8).hexdigest())


class ComposedAnswers(Generic[T]):
    """Answers by key. The projection touches a key after its write and before readers learn of the write.

    An answer that was composed while its key was touched is not kept, for it may mix old and new.
    """

    def __init__(
        self,
        weigh: Callable[[T], int],
        *,
        size: int = 2_000,
        most_bytes: int = MOST_BYTES,
        keep: Callable[[T], bool] | None = None,
    ) -> None:
        """Keep up to *size* answers, whose JSON (*weigh*) is no longer than *most_bytes* together.

        The oldest is dropped first, even if it is read often. One that would take more than a quarter of the
        bytes is composed each time, and so are those that *keep* refuses.
        """
        self._weigh = weigh
        self._may_keep = keep
        self._size = size
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._touched: dict[str, int] = {}
        self._count = 0
        self._floor = 0
        self._lock = threading.Lock()

    def get(self, key: str, compose: Callable[[], T]) -> T:
        """Return the answer under *key*, composed now if it is not known."""
        known = self._answers.get(key)
        if known is not None:
            _REMEMBERED.inc()
            return known[0]
        _COMPOSED.inc()
        since = self._count
        answer = compose()
        self._keep(key, answer, since)
        return answer

    @property
    def moment(self) -> int:
        """Return a mark of now, from which `get_many` knows what was touched since."""
        return self._count

    def get_many(
        self, keys: Sequence[str], since: int, compose: Callable[[list[str]], Mapping[str, T]]
    ) -> dict[str, T]:
        """Return the answers under *keys*; unknown ones are composed together, of documents read *since*."""
        known = {key: entry[0] for key in keys if (entry := self._answers.get(key)) is not None}
        missing = [key for key in keys if key not in known]
        _REMEMBERED.inc(len(known))
        _COMPOSED.inc(len(missing))
        if not missing:
            return known
        composed = compose(missing)
        for key in missing:
            self._keep(key, composed[key], since)
        return {key: known[key] if key in known else composed[key] for key in keys}

    def _keep(self, key: str, answer: T, since: int) -> None:
        if self._may_keep is not None and not self._may_keep(answer):
            return
        weight = self._weigh(answer)
        if weight * _LARGEST_PART > self._most_bytes:
            return
        with self._lock:
            if self._touched.get(key, self._floor) <= since:
                self._drop(key)
                self._answers[key] = (answer, weight)
                self._bytes += weight
                while len(self._answers) > self._size or self._bytes > self._most_bytes:
                    self._drop(next(iter(self._answers)))

    def _drop(self, key: str) -> None:
        entry = self._answers.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]

    def touch(self, keys: Iterable[str]) -> None:
        """Forget the answers under *keys*."""
        with self._lock:
            self._count += 1
            for key in keys:
                self._drop(key)
                self._touched[key] = self._count
            if len(self._touched) > _TOUCHES:
                self._touched.clear()
                self._floor = self._count

    def clear(self) -> None:
        """Forget every answer."""
        with self._lock:
            self._count += 1
            self._floor = self._count
            self._touched.clear()
            self._answers.clear()
            self._bytes = 0
