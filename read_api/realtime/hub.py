"""The live source: one reader of each log for all subscribers, who each keep only their place."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from commands.partitions import Logs
from domain.record import Record
from read_api.realtime.events import Shown
from read_api.realtime.feed import Feed


class Hub:
    """Keep the last events ready to send, and wake subscribers when there are more.

    A subscriber that falls behind what is kept reads from the log, so that no queue grows for it and none is skipped.
    """

    def __init__(self, logs: Logs[Any]) -> None:
        """Read from *logs*."""
        self._logs = logs
        self._feeds = tuple(Feed(log) for log in logs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Future[None] | None = None
        self._notified = False
        self.subscribers = 0
        self.draining = False
        self._empty = asyncio.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake subscribers in *loop* from now on."""
        self._loop = loop
        for log, feed in zip(self._logs, self._feeds, strict=True):
            feed.tip = log.tip().sequence
            log.on_append(partial(self._appended, feed))

    @property
    def partitions(self) -> int:
        """Return how many partitions there are."""
        return len(self._feeds)

    def number_of(self, home: str) -> int:
        """Return the partition that *home* belongs to."""
        return self._logs.number_of(home)

    def tip(self, partition: int = 0) -> int:
        """Return the sequence of the last event of *partition* that subscribers may see."""
        return self._feeds[partition].tip

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

    async def changed(self, after: Mapping[int, int]) -> None:
        """Wait until there are events behind *after* in one of its partitions, or the server stops."""
        while not self.draining and not any(
            self._feeds[partition].tip > sequence for partition, sequence in after.items()
        ):
            if self._changed is None:
                self._changed = asyncio.get_running_loop().create_future()
                continue  # an append between the look at the tip and this line found nobody to wake
            await asyncio.shield(self._changed)

    def events(self, after: int, partition: int = 0) -> list[Shown]:
        """Return some events of *partition* behind *after*, in order, none skipped; raises LogUnavailableError."""
        return self._feeds[partition].events(after)

    def forget(self) -> None:
        """Drop what is kept ready to send: somebody was erased. From any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and with it every subscriber
                self._loop.call_soon_threadsafe(self._forget)

    def _forget(self) -> None:
        for feed in self._feeds:
            feed.forget()

    def _appended(self, feed: Feed, records: Sequence[Record]) -> None:
        """Note the new tip; called from the thread that appends, and cheap when nobody listens."""
        feed.tip = records[-1].sequence
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
