"""The live source: one reader of the log for all subscribers, who each keep only their place."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from commands.log import EventLog, LogUnavailableError
from domain.record import Record
from read_api.realtime.events import Shown, shown

_KEPT = 4_096
_KEPT_BYTES = 8 * 1024 * 1024
_CHUNK = 200


class Hub:
    """Keep the last events ready to send, and wake subscribers when there are more.

    A subscriber that falls behind what is kept reads from the log, so that no queue grows for it and none is skipped.
    """

    def __init__(self, log: EventLog) -> None:
        """Read from *log*."""
        self._log = log
        self._kept: deque[Shown] = deque()
        self._bytes = 0
        self._tip = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Future[None] | None = None
        self._notified = False
        self.subscribers = 0
        self.draining = False
        self._empty = asyncio.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake subscribers in *loop* from now on."""
        self._loop = loop
        self._tip = self._log.tip().sequence
        self._log.on_append(self._appended)

    @property
    def tip(self) -> int:
        """Return the sequence of the last event that subscribers may see."""
        return self._tip

    @contextmanager
    def subscriber(self) -> Iterator[None]:
        """Count a subscriber until it has been told goodbye: the server waits for that before it ends."""
        self.subscribers += 1
        try:
            yield
        finally:
            self.subscribers -= 1
            if self.subscribers == 0:
                self._empty.set()

    def drain(self) -> None:
        """End every subscription: each says so to its client and stops."""
        self.draining = True
        self._wake()

    async def drained(self, seconds: float) -> None:
        """Wait until the last subscriber has left, for up to *seconds*."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.subscribers:
                    self._empty.clear()
                    await self._empty.wait()

    async def changed(self, after: int) -> None:
        """Wait until there are events behind *after*, or the server stops."""
        while self._tip <= after and not self.draining:
            if self._changed is None:
                self._changed = asyncio.get_running_loop().create_future()
                continue  # an append between the look at the tip and this line found nobody to wake
            await asyncio.shield(self._changed)

    def events(self, after: int) -> list[Shown]:
        """Return some events behind *after*, in order, none skipped; raises LogUnavailableError."""
        if after >= self._tip:
            return []
        self._fill(after)
        if self._kept and self._kept[0].sequence <= after + 1:
            start = after + 1 - self._kept[0].sequence
            return [self._kept[index] for index in range(start, min(start + _CHUNK, len(self._kept)))]
        return [shown(self._log, record) for record in self._log.read(after, _CHUNK)]

    def _fill(self, after: int) -> None:
        """Take over what was appended since; far behind, start anew close to the end."""
        last = self._kept[-1].sequence if self._kept else after
        if self._tip - last > _CHUNK:
            self._kept.clear()
            self._bytes = 0
            last = self._tip - _CHUNK
        while last < self._tip:
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

    def _appended(self, records: Sequence[Record]) -> None:
        """Note the new tip; called from the thread that appends, and cheap when nobody listens."""
        self._tip = records[-1].sequence
        if self._changed is not None and not self._notified and self._loop is not None:
            self._notified = True
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:
                self._notified = False  # the loop has ended, and with it every subscriber

    def _wake(self) -> None:
        self._notified = False
        changed, self._changed = self._changed, None
        if changed is not None and not changed.done():
            changed.set_result(None)
