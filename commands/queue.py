"""What waits for one worker, which takes it in groups: one fsync, or one round trip, for many items."""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, Protocol, TypeVar


class Countable(Protocol):
    """What may wait in a queue."""

    @property
    def count(self) -> int:
        """Return how many commands or events it holds."""
        ...


T = TypeVar("T", bound=Countable)


class BusyError(Exception):
    """Too much waits to be answered in time, or the server is stopping: try again later."""


def _no_worker() -> None:
    """Wake nobody: the queue has no worker yet."""


class WorkQueue(Generic[T]):
    """Items that wait for a worker. Any thread may put them in; one worker takes them.

    An item is *admitted* when it is counted against the limit, and *lined up* when the worker may take it. A
    bus may hold an admitted item back, for others to join its group.
    """

    def __init__(
        self,
        *,
        group: int,
        waiting: float = float("inf"),
        size: Callable[[T], int] = lambda _: 0,
        group_size: float = float("inf"),
    ) -> None:
        """Limit groups to *group* commands or events, and what may wait to *waiting*.

        The item that reaches the limit of a group is the group's last one. *size* gives the bytes or the work
        of an item: a group ends before the item with which it has more than *group_size*. Nothing is admitted
        while more than *waiting* commands wait.
        """
        self.wake: Callable[[], None] = _no_worker
        """Set by the worker; called when there is something to take and the worker last found nothing."""
        self.waiting = 0
        """How many commands are admitted and not released yet."""
        self.closed = False
        self.ended = False
        """Whether the worker has found nothing after `close`, and ends."""
        self._group, self._limit = group, waiting
        self._size, self._group_size = size, group_size
        self._items: deque[T] = deque()
        self._lock = threading.Lock()
        self._awake = False

    @property
    def empty(self) -> bool:
        """Return whether nothing is lined up."""
        return not self._items

    def admit(self, item: T) -> None:
        """Count *item*; raise BusyError while too much waits, and after `close`."""
        with self._lock:
            self._admit(item)

    def line_up(self, items: Sequence[T]) -> None:
        """Let the worker take *items*, which were admitted; raise BusyError where it has ended."""
        with self._lock:
            if self.ended:
                raise BusyError("the server is stopping")
            self._items.extend(items)
            awake, self._awake = self._awake, True
        if not awake:
            self.wake()

    def put(self, item: T) -> None:
        """Admit *item* and line it up; raise BusyError as `admit` does."""
        with self._lock:
            self._admit(item)
            self._items.append(item)
            awake, self._awake = self._awake, True
        if not awake:
            self.wake()

    def take(self) -> list[T]:
        """Return the next group. After an empty one, the next item wakes the worker, or it has ended."""
        group: list[T] = []
        count = size = 0
        with self._lock:
            while self._items and count < self._group:
                size += self._size(self._items[0])
                if group and size > self._group_size:
                    break
                item = self._items.popleft()
                count += item.count
                group.append(item)
            if not group:
                self._awake, self.ended = False, self.closed
        return group

    def release(self, items: Sequence[T]) -> None:
        """Count *items* no longer: they are answered."""
        count = sum(item.count for item in items)
        with self._lock:
            self.waiting -= count

    def close(self) -> None:
        """Admit nothing from now on, and wake the worker, which ends once nothing is lined up."""
        self.closed = True
        self.wake()

    def _admit(self, item: T) -> None:
        if self.closed:
            raise BusyError("the server is stopping")
        if self.waiting > self._limit:
            raise BusyError(f"{self.waiting} commands are waiting")
        self.waiting += item.count


class LoopWorker(Generic[T]):
    """Works on a queue in an event loop, group after group, in a task that lives while there is work."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        queue: WorkQueue[T],
        work: Callable[[list[T]], Awaitable[None]],
    ) -> None:
        """Await *work*, which must not raise, with each group of *queue* in *loop*."""
        self._loop = loop
        self._queue = queue
        self._work = work
        self._task: asyncio.Task[None] | None = None
        queue.wake = self._wake

    async def drained(self) -> None:
        """Return when everything that was lined up has been worked on."""
        if self._task is not None:
            await self._task

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            # Not in the context of the caller that woke it: its work is that of many callers.
            self._task = self._loop.create_task(self._run(), context=Context())

    async def _run(self) -> None:
        while group := self._queue.take():
            await self._work(group)
