"""The last events of one partition, ready to send: one reader of its log for all subscribers."""

from collections import deque

from commands.log import EventLog, LogUnavailableError
from read_api.realtime.events import Shown, shown

_KEPT = 4_096
_KEPT_BYTES = 8 * 1024 * 1024
_CHUNK = 200


class Feed:
    """Keep the last events of *log*; who is further behind reads from the log, so that none is skipped."""

    def __init__(self, log: EventLog) -> None:
        """Read from *log*; `tip` is the sequence of the last event that subscribers may see."""
        self._log = log
        self._kept: deque[Shown] = deque()
        self._bytes = 0
        self.tip = 0

    def events(self, after: int) -> list[Shown]:
        """Return some events behind *after*, in order, none skipped; raises LogUnavailableError."""
        if after >= self.tip:
            return []
        self._fill(after)
        if self._kept and self._kept[0].sequence <= after + 1:
            start = after + 1 - self._kept[0].sequence
            return [self._kept[index] for index in range(start, min(start + _CHUNK, len(self._kept)))]
        return [shown(self._log, record) for record in self._log.read(after, _CHUNK)]

    def forget(self) -> None:
        """Drop what is kept: it is read from the log again."""
        self._kept.clear()
        self._bytes = 0

    def _fill(self, after: int) -> None:
        """Take over what was appended since; far behind, start anew close to the end."""
        last = self._kept[-1].sequence if self._kept else after
        if self.tip - last > _CHUNK:
            self._kept.clear()
            self._bytes = 0
            last = self.tip - _CHUNK
        while last < self.tip:
            records = self._log.read(last, _CHUNK)
            if not records:
                raise LogUnavailableError("the log gave no records that it has")
            for record in records:
                self._keep(shown(self._log, record))
            last = records[-1].sequence

    def _keep(self, event: Shown) -> None:
        self._kept.append(event)
        self._bytes += len(event.json)
        while len(self._kept) > _KEPT or (self._bytes > _KEPT_BYTES and len(self._kept) > 1):
            self._bytes -= len(self._kept.popleft().json)
