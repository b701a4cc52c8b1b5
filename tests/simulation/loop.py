"""Event loops with a common virtual time, one for each process of the model, which can stall or die."""

import asyncio
import math
from collections.abc import Callable
from random import Random
from typing import Any

_RESOLUTION = 1e-9
_STEPS = 10_000
_STEP_SECONDS = 1e-6
"""Each step takes some time, so that a wait for a moment that rounding puts into the present ends."""


class _NoSelector:
    """Waits for nothing, for the scheduler moves the time."""

    def select(self, timeout: float | None) -> list[Any]:
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop that a scheduler steps; it takes its time from there."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._selector = _NoSelector()
        self._clock_resolution = _RESOLUTION
        self.stalled_until = 0.0
        self.faults: list[BaseException] = []
        self.set_exception_handler(self._record_fault)

    def time(self) -> float:
        return self._now()

    def next_time(self) -> float:
        """Return when this loop has something to do next."""
        if self._ready:
            return max(self._now(), self.stalled_until)
        return max(self._scheduled[0].when(), self.stalled_until) if self._scheduled else math.inf

    def step(self) -> None:
        """Run what is ready now."""
        asyncio._set_running_loop(self)
        try:
            self._run_once()
        finally:
            asyncio._set_running_loop(None)

    def bury(self) -> None:
        """Cancel every task: the process is gone, and what it still does has no effect."""
        for _ in range(_STEPS):
            pending = [task for task in asyncio.all_tasks(self) if not task.done()]
            if not pending:
                break
            for task in pending:
                task.cancel()
            self.step()
        self._ready.clear()
        self._scheduled.clear()
        self.close()

    def _record_fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.faults.append(error)

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class Scheduler:
    """Steps the loops in the order of their timers; loops that are due together, in a random order."""

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self._random = random
        self._loops: list[VirtualLoop] = []
        self._dead: list[VirtualLoop] = []

    def loop(self) -> VirtualLoop:
        loop = VirtualLoop(lambda: self.now)
        self._loops.append(loop)
        return loop

    def end(self, loop: VirtualLoop) -> None:
        """Let the process of *loop* die."""
        self._loops.remove(loop)
        self._dead.append(loop)

    def run(self, until: float, finished: Callable[[], bool] = lambda: False) -> None:
        """Run to the time *until*, or until *finished*."""
        while not finished():
            times = [(loop.next_time(), loop) for loop in self._loops]
            soonest = min(time for time, _ in times)
            if soonest > until:
                break
            self.now = max(self.now, soonest) + _STEP_SECONDS
            due = [loop for time, loop in times if time <= self.now]
            (due[0] if len(due) == 1 else self._random.choice(due)).step()
            self._bury()
        else:
            return
        self.now = max(self.now, until)

    def close(self) -> None:
        for loop in list(self._loops):
            self.end(loop)
        self._bury()

    def _bury(self) -> None:
        while self._dead:
            self._dead.pop().bury()
