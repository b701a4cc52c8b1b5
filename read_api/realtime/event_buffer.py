"""The last events of one partition, each rendered once for all subscribers that may see it."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from commands.log import EventLog, LogUnavailableError, Selection
from commands.position import Position
from domain.record import Record
from read_api.realtime.events import PendingEvent

_MOST_EVENTS = 4_096
_MOST_BYTES = 8 * 1024 * 1024
_CHUNK = 200
_CHUNK_BYTES = 1024 * 1024
_MISSING = "the log returned no records before its tip"


class Stretch(Struct, frozen=True):
    """Events that follow each other in a partition, and the *sequence* and *position* that they reach."""

    events: Sequence[PendingEvent]
    sequence: int
    position: Position


class EventBuffer:
    """Hold the last events of a log; read the log itself for a subscriber that is further behind."""

    def __init__(self, log: EventLog) -> None:
        """Buffer the events of *log*; `tip` is the sequence of the last event that subscribers may see."""
        self._log = log
        self._events: deque[PendingEvent] = deque()
        self._bytes = 0
        self.tip = 0

    def buffered(self, after: int) -> Stretch | None:
        """Return some events after *after*, in order, none skipped; None where the log has to be read.

        Raises LogUnavailableError. Call it in one thread only.
        """
        if after >= self.tip:
            return None
        self._fill(after)
        if not self._events or self._events[0].sequence > after + 1:
            return None
        start = after + 1 - self._events[0].sequence
        return _stretch([self._events[n] for n in range(start, min(start + _CHUNK, len(self._events)))])

    def read(self, after: int, home: str | None = None) -> Stretch | None:
        """Return some events after *after* from the log, none skipped; with *home*, those of one home key.

        Raises LogUnavailableError. Any thread may call it.
        """
        tip = self.tip
        if after >= tip:
            return None
        selection = Selection(home=home, most_bytes=_CHUNK_BYTES)
        records = [r for r in self._log.read(after, _CHUNK, selection) if r.sequence <= tip]
        events = [PendingEvent(self._log, record) for record in records]
        if home is not None and len(records) < _CHUNK and _size(records) < _CHUNK_BYTES:
            last = self._log.read(tip - 1, 1)  # nothing of this home lies between
            if last:
                return Stretch(events, tip, Position.at(tip, last[0].chain, self._log.number))
        if not events:
            raise LogUnavailableError(_MISSING)
        return _stretch(events)

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
            records = self._log.read(last, _CHUNK, Selection(most_bytes=_CHUNK_BYTES))
            if not records:
                raise LogUnavailableError(_MISSING)
            for record in records:
                self._add(PendingEvent(self._log, record))
            last = records[-1].sequence

    def _add(self, event: PendingEvent) -> None:
        self._events.append(event)
        self._bytes += event.size
        while len(self._events) > _MOST_EVENTS or (self._bytes > _MOST_BYTES and len(self._events) > 1):
            self._bytes -= self._events.popleft().size


def _stretch(events: list[PendingEvent]) -> Stretch:
    return Stretch(events, events[-1].sequence, events[-1].position)


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.data) for record in records)
