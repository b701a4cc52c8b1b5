"""The source of live events: one buffer for each partition, shared by all subscribers."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from commands.partitions import Logs
from domain.record import Record
from read_api.realtime.event_buffer import EventBuffer, Stretch
from telemetry.instruments import OPEN_CHANNELS


class Hub:
    """Hold the last events ready to send, and wake subscribers when there are new ones.

    A subscriber holds only the position that it has reached. One that falls behind the buffer gets its events
    from the log, so that no queue grows for it and no event is skipped.
    """

    def __init__(self, logs: Logs[Any]) -> None:
        """Read from *logs*."""
        self._logs = logs
        self._buffers = tuple(EventBuffer(log) for log in logs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Future[None] | None = None
        self._notified = False
        self.subscribers = 0
        self.draining = False
        self._empty = asyncio.Event()
        self._sent: dict[tuple[str, int], int] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow the logs, and wake subscribers in *loop* from now on."""
        self._loop = loop
        for log, buffer in zip(self._logs, self._buffers, strict=True):
            buffer.tip = log.tip().sequence
            log.on_append(partial(self._appended, buffer))

    @property
    def partitions(self) -> int:
        """Return how many partitions there are."""
        return len(self._buffers)

    def number_of(self, home: str) -> int:
        """Return the partition that *home* belongs to."""
        return self._logs.number_of(home)

    def tip(self, partition: int = 0) -> int:
        """Return the sequence of the last event of *partition* that subscribers may see."""
        return self._buffers[partition].tip

    def is_first(self, channel: str, home: str, sequence: int) -> bool:
        """Note that an event of *home* is sent; return whether no *channel* has sent it before."""
        key = channel, self.number_of(home)
        first = sequence > self._sent.get(key, 0)
        if first:
            self._sent[key] = sequence
        return first

    @contextmanager
    def subscriber(self, kind: str) -> Iterator[None]:
        """Count a channel of this *kind* until it is closed; a server that stops waits for all of them."""
        self.subscribers += 1
        OPEN_CHANNELS.labels(kind).inc()
        try:
            yield
        finally:
            self.subscribers -= 1
            OPEN_CHANNELS.labels(kind).dec()
            if self.subscribers == 0:
                self._empty.set()

    def drain(self) -> None:
        """End every subscription; each tells its client so and stops."""
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
        """Wait until one of the partitions has events after its sequence in *after*, or the server stops."""
        while not self.draining and not any(
            self._buffers[partition].tip > sequence for partition, sequence in after.items()
        ):
            if self._changed is None:
                self._changed = asyncio.get_running_loop().create_future()
                continue  # look again: an append meanwhile found no future to wake
            await asyncio.shield(self._changed)

    def buffered(self, after: int, partition: int = 0) -> Stretch | None:
        """Return some events of *partition* after *after*, none skipped, None where `read` has them.

        Raises LogUnavailableError. Call it in the event loop.
        """
        return self._buffers[partition].buffered(after)

    def read(self, after: int, partition: int = 0, home: str | None = None) -> Stretch | None:
        """Return some events of *partition* after *after* from its log; with *home*, those of one home key.

        Raises LogUnavailableError. Call it in a thread: it takes as long as the log needs.
        """
        return self._buffers[partition].read(after, home)

    def forget(self) -> None:
        """Drop the buffered events, because a person was erased; any thread may call this."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and with it every subscriber
                self._loop.call_soon_threadsafe(self._clear)

    def _clear(self) -> None:
        for buffer in self._buffers:
            buffer.clear()

    def _appended(self, buffer: EventBuffer, records: Sequence[Record]) -> None:
        """Note the new tip. The thread that appends calls this; it costs little without subscribers."""
        buffer.tip = records[-1].sequence
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
