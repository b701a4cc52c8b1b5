"""Run jobs: one BullMQ worker for each queue, so that background jobs never hold up critical ones."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

import structlog
from bullmq import Worker
from bullmq.custom_errors import DelayedError

from jobs.bullmq.clock import now_ms
from jobs.bullmq.connection import connect_queue
from jobs.bullmq.run import Deferred, Runs
from jobs.job import QueueName
from jobs.kind import Kind, pause_before
from processes.loops import pause

_CONCURRENCY = 32
_LOCK_MS = 15_000
_STALLED_LOOK_MS = 5_000
_MOST_STALLED = 10
"""How often a job may be taken over from a worker that vanished: one that kills its workers must end."""

_RETRY_SECONDS = 1.0
_STOP_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class BullWorker:
    """Runs the jobs of both queues until it is stopped; without the server it waits until that is back."""

    def __init__(
        self, url: str, prefix: str, kinds: Mapping[str, Kind], *, ca_file: str | None = None
    ) -> None:
        """Run jobs of *kinds* (by name) from the server at *url*; nothing connects before `start`."""
        self._connect: Callable[[], Any] = lambda: connect_queue(url, ca_file, blocking=True)
        self._prefix = prefix
        self._runs = Runs(kinds, prefix)
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to run jobs, in the running event loop."""
        self._tasks = [asyncio.ensure_future(self._keep_running(name)) for name in QueueName]

    async def stop(self) -> None:
        """Take no more jobs, and wait up to 5 s for those at work; what is left is run again elsewhere."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _keep_running(self, name: QueueName) -> None:
        while not self._stopping.is_set():
            client = self._connect()
            try:
                await self._run(name, client)
            except Exception as error:  # noqa: BLE001 # whatever it is, jobs must not stop for ever
                logger.warning("a queue's worker begins again", queue=name.value, reason=type(error).__name__)
            finally:
                with suppress(Exception):
                    await client.aclose()
            await pause(self._stopping, _RETRY_SECONDS)

    async def _run(self, name: QueueName, client: Any) -> None:
        async def process(job: Any, token: str) -> None:
            try:
                await self._runs.run(job, name, client)
            except Deferred as deferred:
                await job.moveToDelayed(now_ms() + round(deferred.seconds * 1000), token)
                raise DelayedError from deferred

        worker: Any = Worker(name.value, cast("Any", process), self._options(client))
        worker.on("error", _note_error)
        # BullMQ rounds its waits up to whole seconds until it has asked for the server's version.
        await worker.backend.connection.getRedisVersion()
        await worker.backend.blocking_connection.getRedisVersion()
        running = asyncio.ensure_future(worker.run())
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await _closed(worker, running)

    def _options(self, client: Any) -> Any:
        return {
            "connection": client,
            "prefix": self._prefix,
            "autorun": False,
            "concurrency": _CONCURRENCY,
            "lockDuration": _LOCK_MS,
            "stalledInterval": _STALLED_LOOK_MS,
            "maxStalledCount": _MOST_STALLED,
            "runRetryDelay": round(_RETRY_SECONDS * 1000),
            "settings": {"backoffStrategy": _pause},
        }


async def _closed(worker: Any, running: Awaitable[None]) -> None:
    """End a worker: jobs at work have 5 s, then they are interrupted, and another worker takes them over."""
    closing = asyncio.ensure_future(worker.close())
    done, _ = await asyncio.wait({closing}, timeout=_STOP_SECONDS)
    if not done:
        await worker.close(force=True)
    with suppress(Exception, asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(asyncio.gather(closing, running)), _STOP_SECONDS)


def _pause(attempts_made: int, _type: str, _error: Exception, job: Any) -> int:
    """Return the milliseconds before the next attempt."""
    backoff = job.opts.get("backoff") or {}
    first = backoff.get("delay", 0) / 1000
    return max(1, round(1000 * pause_before(attempts_made + 1, first)))


def _note_error(error: Any, job: Any = None) -> None:
    logger.warning("the queue", reason=type(error).__name__, job=None if job is None else job.id)
