"""One attempt of a job: its limits, its lease, its cancellation, and what becomes of a failure."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from bullmq.custom_errors import UnrecoverableError
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from jobs.bullmq.view import CANCELLED
from jobs.job import JobData, JobError, QueueName, check_data
from jobs.kind import HopelessError, Kind
from telemetry import tracing
from telemetry.instruments import JOB_SECONDS, JOB_WAIT_SECONDS, JOBS_ENDED

_LEASE_SECONDS = 15.0
_LOOK_SECONDS = 1.0
_SLOT_SECONDS = 2.0
_UNKNOWN = "unknown"
_CANCELLED_REASON = "cancelled"

logger = structlog.get_logger(__name__)


class Deferred(Exception):  # noqa: N818 # no error: the job is tried again after *seconds*
    """A job cannot begin yet: as many of its kind as may run are at work."""

    def __init__(self, seconds: float) -> None:
        """Let it be tried again after *seconds*."""
        super().__init__(seconds)
        self.seconds = seconds


class FailedError(Exception):
    """An attempt failed; the message is stored with the job, so it holds nothing that people wrote."""


class _Running:
    """What the work of a job knows of it."""

    def __init__(self, job: Any, data: JobData) -> None:
        self._job = job
        self.id: str = job.id
        self.data = data

    async def progress(self, percent: int) -> None:
        """Let others see how far the job is."""
        with suppress(RedisError):  # the work does not depend on who looks at it
            await self._job.updateProgress(min(100, max(0, percent)))


class Runs:
    """Runs attempts within the limits of their kinds."""

    def __init__(self, kinds: Mapping[str, Kind], prefix: str) -> None:
        """Run jobs of *kinds*, by name; leases are stored under *prefix*."""
        self._kinds = kinds
        self._prefix = prefix
        self._slots = {name: asyncio.Semaphore(kind.concurrency) for name, kind in kinds.items()}

    async def run(self, job: Any, queue: QueueName, client: Any) -> None:
        """Run an attempt of BullMQ's *job*.

        Raises:
            Deferred: it could not begin.
            UnrecoverableError: it failed, and no other attempt can help.
            FailedError: it failed, and is tried again unless this was the last attempt.
        """
        kind, data = self._checked(job)
        key = job.queue.backend.toKey(job.id)
        if await client.hget(key, CANCELLED) is not None:
            JOBS_ENDED.labels(kind.name, "cancelled").inc()
            raise UnrecoverableError(_CANCELLED_REASON)
        async with self._slot(kind), self._lease(kind, data, client) as lease:
            if job.attemptsStarted <= 1:
                JOB_WAIT_SECONDS.labels(queue.value).observe(max(0.0, time.time() - _due(job)))
            began = time.perf_counter()
            outcome = "failed"
            try:
                with tracing.within(await _span(kind, data, job.id)):
                    await self._attempt(kind, _Running(job, data), lambda: client.hget(key, CANCELLED), lease)
                outcome = "done"
            except UnrecoverableError as error:
                outcome = "cancelled" if str(error) == _CANCELLED_REASON else outcome
                raise
            finally:
                JOB_SECONDS.labels(kind.name).observe(time.perf_counter() - began)
                JOBS_ENDED.labels(kind.name, outcome).inc()

    def _checked(self, job: Any) -> tuple[Kind, JobData]:
        """Return the kind and data of a job, which another program may have added."""
        kind = self._kinds.get(job.name)
        if kind is None:
            JOBS_ENDED.labels(_UNKNOWN, "failed").inc()
            raise UnrecoverableError("this installation has no such kind of job")
        data = job.data if isinstance(job.data, dict) else {}
        try:
            check_data(data)
        except JobError as error:
            raise UnrecoverableError(str(error)) from None
        return kind, data

    @asynccontextmanager
    async def _slot(self, kind: Kind) -> AsyncIterator[None]:
        """Wait for one of the kind's slots in this worker; raises Deferred after two seconds."""
        slots = self._slots[kind.name]
        try:
            await asyncio.wait_for(slots.acquire(), _SLOT_SECONDS)
        except TimeoutError:
            raise Deferred(_SLOT_SECONDS) from None
        try:
            yield
        finally:
            slots.release()

    @asynccontextmanager
    async def _lease(self, kind: Kind, data: JobData, client: Any) -> AsyncIterator[Lock | None]:
        """Hold the lease of the job's key where its kind runs one at a time; raises Deferred."""
        if kind.one_of is None:
            yield None
            return
        name = f"{self._prefix}:lease:{kind.name}:{kind.one_of(data)}"
        lease = Lock(client, name, timeout=_LEASE_SECONDS, blocking=False, thread_local=False)
        if not await lease.acquire():
            raise Deferred(_LOOK_SECONDS)
        try:
            yield lease
        finally:
            with suppress(LockError, RedisError):
                await lease.release()

    async def _attempt(self, kind: Kind, running: _Running, asked: Any, lease: Lock | None) -> None:
        work = asyncio.ensure_future(kind.work(running))
        watch = asyncio.ensure_future(_watch(asked, lease))
        try:
            done, _ = await asyncio.wait(
                {work, watch}, timeout=kind.deadline_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if work in done:
                _note(kind, running, work.exception())
            elif watch in done:
                raise watch.exception() or FailedError("interrupted")
            else:
                raise FailedError(f"it took longer than {kind.deadline_seconds:g} s")
        finally:
            await _ended(work, watch)


async def _span(kind: Kind, data: JobData, job_id: str) -> tracing.Span:
    """Begin the span of an attempt, in the trace of the event that asked for the job, if one did."""
    if not tracing.enabled():
        return tracing.NONE
    cause = None
    if kind.caused_by is not None:
        with suppress(Exception):  # what fails here fails in the work, too, where it counts
            cause = await asyncio.to_thread(kind.caused_by, data)
    attributes = {"codepark.job.id": job_id, "codepark.job.queue": kind.queue.value}
    return tracing.begin(f"job {kind.name}", tracing.Kind.CONSUMER, attributes, parent=cause)


async def _watch(asked: Any, lease: Lock | None) -> None:
    """Return never: raise once somebody asks to cancel the job, or its lease is lost."""
    kept = time.monotonic()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        with suppress(RedisError, OSError):
            if await asked() is not None:
                raise UnrecoverableError(_CANCELLED_REASON)
            if lease is not None:
                try:
                    await lease.reacquire()
                except LockError:
                    raise FailedError("another worker took its lease") from None
            kept = time.monotonic()
        if lease is not None and time.monotonic() - kept > _LEASE_SECONDS:
            raise FailedError("its lease could not be kept")


async def _ended(*tasks: "asyncio.Future[None]") -> None:
    """Interrupt what still runs, and wait until it has ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _note(kind: Kind, running: _Running, error: BaseException | None) -> None:
    """Raise the failure of an attempt in a form that may be stored; nothing where it succeeded."""
    if error is None:
        return
    if isinstance(error, HopelessError):
        logger.warning("a job failed for good", kind=kind.name, job=running.id, reason=str(error))
        raise UnrecoverableError(str(error)) from None
    logger.warning("a job failed", kind=kind.name, job=running.id, reason=type(error).__name__)
    raise FailedError(type(error).__name__) from None


def _due(job: Any) -> float:
    return float(job.timestamp + job.delay) / 1000
