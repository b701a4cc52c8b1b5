"""Collect what arrives together, so that it is decided in one batch with one fsync."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")

_WAIT_SECONDS = 0.001
_FADE = 0.8


class Batcher(Generic[T]):
    """Collects items in an event loop and hands them over together.

    The item of a lone caller goes at once. After several items came together, the first of the next ones
    waits for as many, or for a millisecond: one fsync for all costs less than that wait (PostgreSQL's
    `commit_delay` works so).
    """

    def __init__(self, hand_over: Callable[[list[T]], None]) -> None:
        """Call *hand_over*, in the loop, with the items in the order in which they came."""
        self._hand_over = hand_over
        self._items: list[T] = []
        self._expected = 1.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, loop: asyncio.AbstractEventLoop, item: T) -> None:
        """Take *item*, from *loop*'s own thread."""
        self._items.append(item)
        count = len(self._items)
        if count == 1 and self._expected >= 2:  # noqa: PLR2004 # a single item would wait for itself
            self._timer = loop.call_later(_WAIT_SECONDS, self._flush, context=Context())
        elif count == 1:
            loop.call_soon(self._flush, context=Context())  # it is nobody's own work
        elif self._timer is not None and count >= self._expected:
            self._timer.cancel()
            self._timer = None
            loop.call_soon(self._flush, context=Context())  # what arrives in this turn still joins

    def _flush(self) -> None:
        self._timer = None
        items, self._items = self._items, []
        self._expected = max(float(len(items)), self._expected * _FADE)
        self._hand_over(items)
