"""The last events of one partition, rendered once for all subscribers."""

from collections import deque

from commands.log import EventLog, LogUnavailableError
from read_api.realtime.events import RenderedEvent, render_event

_MOST_EVENTS = 4_096
_MOST_BYTES = 8 * 1024 * 1024
_CHUNK = 200


class EventBuffer:
    """Hold the last events of a log; read the log itself for a subscriber that is further behind."""

    def __init__(self, log: EventLog) -> None:
        """Buffer the events of *log*; `tip` is the sequence of the last event that subscribers may see."""
        self._log = log
        self._events: deque[RenderedEvent] = deque()
        self._bytes = 0
        self.tip = 0

    def events(self, after: int) -> list[RenderedEvent]:
        """Return some events after *after*, in order, none skipped; raises LogUnavailableError."""
        if after >= self.tip:
            return []
        self._fill(after)
        if self._events and self._events[0].sequence <= after + 1:
            start = after + 1 - self._events[0].sequence
            return [self._events[index] for index in range(start, min(start + _CHUNK, len(self._events)))]
        return [render_event(self._log, record) for record in self._log.read(after, _CHUNK)]

    def clear(self) -> None:
        """Drop the events; the next call reads them from the log again."""
        self._events.clear()
        self._bytes = 0

    def _fill(self, after: int) -> None:
        """Buffer the events up to the tip; where too many are missing, start again near the tip."""
        last = self._events[-1].sequence if self._events else after
        if self.tip - last > _CHUNK:
            self.clear()
            last = self.tip - _CHUNK
        while last < self.tip:
            records = self._log.read(last, _CHUNK)
            if not records:
                raise LogUnavailableError("the log returned no records before its tip")
            for record in records:
                self._add(render_event(self._log, record))
            last = records[-1].sequence

    def _add(self, event: RenderedEvent) -> None:
        self._events.append(event)
        self._bytes += len(event.json)
        while len(self._events) > _MOST_EVENTS or (self._bytes > _MOST_BYTES and len(self._events) > 1):
            self._bytes -= len(self._events.popleft().json)
