"""Log what repeats as one line a period: the first at once, then how many there were."""

import threading
import time
from collections.abc import Callable
from typing import Any

PERIOD_SECONDS = 60.0

Write = Callable[..., Any]
"""Writes a line of the log: the event, then named values."""


class SummedLog:
    """Lines about one kind of thing, of which there may be very many; may be used from any thread."""

    def __init__(self, event: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Name the line by its *event*."""
        self._event = event
        self._clock = clock
        self._lock = threading.Lock()
        self._written: float | None = None
        self._left_out = 0
        self.total = 0

    def note(self, write: Write, **values: Any) -> None:
        """Count one; write a line with *values* unless one was written in this period.

        The line says how many of the kind there were since the line before, where it was not the only one.
        """
        with self._lock:
            self.total += 1
            now = self._clock()
            if self._written is not None and now - self._written < PERIOD_SECONDS:
                self._left_out += 1
                return
            count, self._left_out, self._written = self._left_out + 1, 0, now
        write(self._event, **values, **({"count": count} if count > 1 else {}))
