"""Gather what arrives together, so that it is decided in one batch with one fsync."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_WAIT_SECONDS = 0.001
_FADE = 0.8


class Gathering(Generic[T]):
    """Collects items in an event loop and hands them on together.

    A lone caller's item goes at once. Where several came together of late, the first of them waits for as many, or
    for a millisecond: one fsync for all costs less than that wait (PostgreSQL's `commit_delay` works so).
    """

    def __init__(self, hand_on: Callable[[list[T]], None]) -> None:
        """Call *hand_on* with the items, in the order in which they came."""
        self._hand_on = hand_on
        self._items: list[T] = []
        self._crowd = 1.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, loop: asyncio.AbstractEventLoop, item: T) -> None:
        """Take *item*, from *loop*'s own thread."""
        self._items.append(item)
        count = len(self._items)
        if count == 1 and self._crowd >= 2:  # noqa: PLR2004 # two make a crowd
            self._timer = loop.call_later(_WAIT_SECONDS, self._flush)
        elif count == 1:
            loop.call_soon(self._flush)
        elif self._timer is not None and count >= self._crowd:
            self._timer.cancel()
            self._timer = None
            loop.call_soon(self._flush)  # what arrives in this turn still joins

    def _flush(self) -> None:
        self._timer = None
        items, self._items = self._items, []
        self._crowd = max(float(len(items)), self._crowd * _FADE)
        self._hand_on(items)
