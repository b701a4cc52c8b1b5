"""The records appended last, in memory, for runners that are nearly up to date."""

import threading
from collections import deque
from collections.abc import Sequence

from domain.record import Record

_RECORDS = 2_000
_BYTES = 4 * 1024 * 1024


class RecentRecords:
    """The last records of the log, in order and without a gap, bounded by number and by size."""

    def __init__(self) -> None:
        """Start with none."""
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, records: Sequence[Record]) -> None:
        """Add what was appended; records after a gap replace all others, so that no reader skips the gap."""
        with self._lock:
            if self._records and self._records[-1].sequence + 1 != records[0].sequence:
                self._records.clear()
                self._bytes = 0
            self._records.extend(records)
            self._bytes += sum(len(record.data) for record in records)
            while self._records and (self._bytes > _BYTES or len(self._records) > _RECORDS):
                self._bytes -= len(self._records.popleft().data)

    def after(self, sequence: int, limit: int) -> list[Record] | None:
        """Return up to *limit* records after *sequence*, None where the log must be read instead."""
        with self._lock:
            if not self._records:
                return None
            start = sequence + 1 - self._records[0].sequence
            if start < 0 or start >= len(self._records):
                return None
            return [self._records[index] for index in range(start, min(start + limit, len(self._records)))]
