"""Measure by how much the event loop is late: what runs in it keeps everybody else waiting."""

import asyncio
from contextlib import suppress

from telemetry.instruments import LOOP_LAG_SECONDS

_PERIOD_SECONDS = 0.5


class LoopWatch:
    """A task that sleeps, and measures how much later than asked for it is woken."""

    def start(self) -> None:
        """Start to measure the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End the task."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _PERIOD_SECONDS
            await asyncio.sleep(_PERIOD_SECONDS)
            LOOP_LAG_SECONDS.observe(max(loop.time() - due, 0.0))
