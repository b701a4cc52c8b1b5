"""The queue as the reactor and administrators use it, through BullMQ's client."""

from collections.abc import Mapping, Sequence
from typing import Any

from bullmq import Queue
from redis.exceptions import ResponseError

from jobs.bullmq.clock import now_ms
from jobs.bullmq.connection import connect_queue, queue_errors
from jobs.bullmq.view import CANCELLED, TYPES, oldest_of, shown, state_named
from jobs.job import (
    PRIORITIES,
    Job,
    JobError,
    JobNotFoundError,
    JobState,
    NewJob,
    QueueFigures,
    QueueName,
)
from jobs.kind import Kind, Schedule

_CHUNK = 200
_KEPT_SECONDS = 30 * 24 * 3_600
_KEPT_JOBS = 10_000
_MOST_REMOVED = 10_000

_OF_JOBS_ALONE = "timestamp"
"""A field that the hash of every job has, and no other hash of a queue."""


class BullQueue:
    """The queues of an installation in one Redis or Valkey, all under one *prefix*."""

    def __init__(
        self, url: str, prefix: str, kinds: Mapping[str, Kind], *, ca_file: str | None = None
    ) -> None:
        """Use the server at *url*; nothing connects before the first call. *kinds* are by name."""
        self._client: Any = connect_queue(url, ca_file)
        self._prefix = prefix
        self._kinds = kinds
        options: Any = {"connection": self._client, "prefix": prefix}
        self._queues = {name: Queue(name.value, options) for name in QueueName}

    async def add(self, jobs: Sequence[NewJob]) -> None:
        """Add *jobs*; those whose ids the queue has are left as they are. Raises JobError."""
        by_queue: dict[QueueName, list[dict[str, Any]]] = {}
        for job in jobs:
            kind = self._kinds.get(job.kind)
            if kind is None:
                raise JobError(f"there is no kind of job called {job.kind}")
            by_queue.setdefault(kind.queue, []).append(
                {"name": job.kind, "data": dict(job.data), "opts": _options(kind, job)}
            )
        with queue_errors():
            for name, added in by_queue.items():
                for start in range(0, len(added), _CHUNK):
                    await self._queues[name].addBulk(added[start : start + _CHUNK])

    async def get(self, job_id: str) -> Job:
        """Return a job; raises JobNotFoundError."""
        with queue_errors():
            return await self._shown(job_id)

    async def page(
        self, queue: QueueName | None, state: JobState | None, *, skip: int, limit: int
    ) -> list[Job]:
        """Return up to *limit* jobs after the first *skip*, in the order of the states and queues."""
        jobs: list[Job] = []
        states = tuple(JobState) if state is None else (state,)
        with queue_errors():
            for wanted in states:
                for name in QueueName if queue is None else (queue,):
                    part, skip = await self._part(name, wanted, skip, limit - len(jobs))
                    jobs += part
                    if len(jobs) >= limit:
                        return jobs
        return jobs

    async def _part(self, name: QueueName, state: JobState, skip: int, limit: int) -> tuple[list[Job], int]:
        """Return jobs of one queue and state, and how many are still to be skipped after them."""
        queue, jobs = self._queues[name], list[Job]()
        for type_, ascending in TYPES[state]:
            count = (await queue.getJobCounts(type_))[type_]
            if skip >= count or len(jobs) >= limit:
                skip = max(0, skip - count)
                continue
            end = skip + limit - len(jobs) - 1
            jobs += [
                await self._view(name, job, state)
                for job in await queue.getJobs([type_], skip, end, ascending)
            ]
            skip = 0
        return jobs, skip

    async def retry(self, job_id: str) -> Job:
        """Let a job that failed or was cancelled begin again; raises JobNotFoundError and JobError."""
        with queue_errors():
            name = await self._queue_of(job_id)
            view = await self._shown(job_id)
            if view.state is not JobState.FAILED and not view.cancelled:
                raise JobError(f"this job is {view.state}: only one that failed or was cancelled is retried")
            await self._client.hdel(self._queues[name].toKey(job_id), CANCELLED)
            if view.state is JobState.FAILED:
                job: Any = await self._queues[name].getJob(job_id)
                await job.retry("failed", {"resetAttemptsMade": True, "resetAttemptsStarted": True})
            return await self._shown(job_id)

    async def cancel(self, job_id: str) -> Job:
        """Let a job that has not ended not begin any more; raises JobNotFoundError and JobError."""
        with queue_errors():
            view = await self._shown(job_id)
            if view.state in (JobState.COMPLETED, JobState.FAILED):
                raise JobError(f"this job is {view.state}: only one that has not ended is cancelled")
            await self._client.hset(self._queues[view.queue].toKey(job_id), CANCELLED, "1")
            return await self._shown(job_id)

    async def figures(self) -> Mapping[QueueName, QueueFigures]:
        """Return how full each queue is."""
        figures = {}
        with queue_errors():
            for name, queue in self._queues.items():
                counts: dict[str, int] = await queue.getJobCounts()
                by_state = dict.fromkeys(JobState, 0)
                for type_, count in counts.items():
                    by_state[state_named(type_)] += count
                first = await queue.getJobs(["prioritized"], 0, 0, True) + await queue.getWaiting(0, 0)
                figures[name] = QueueFigures(counts=by_state, oldest=oldest_of(first))
        return figures

    async def schedule(self, schedules: Sequence[Schedule]) -> None:
        """Add jobs at the times of *schedules*, and at no others."""
        patterns = {schedule.kind: schedule.pattern for schedule in schedules}
        with queue_errors():
            for name, queue in self._queues.items():
                wanted = {kind: each for kind, each in patterns.items() if self._kinds[kind].queue is name}
                stored = {each["key"]: each.get("pattern") for each in await queue.getJobSchedulers()}
                for kind in stored.keys() - wanted.keys():
                    await queue.removeJobScheduler(kind)
                for kind, pattern in wanted.items():
                    if stored.get(kind) != pattern:  # storing it again would move its next job
                        repeat = {"pattern": pattern, "tz": "UTC"}
                        await queue.upsertJobScheduler(kind, repeat, kind, {}, _common(self._kinds[kind]))

    async def remove_ended(self, before: int) -> int:
        """Remove the jobs that ended before *before* (milliseconds), and return how many."""
        grace, removed = max(0, now_ms() - before), 0
        with queue_errors():
            for queue in self._queues.values():
                for type_ in ("completed", "failed"):
                    removed += len(await queue.clean(grace, _MOST_REMOVED, type_))
        return removed

    async def checkpoint(self, log: str) -> int:
        """Return the sequence through which the jobs of *log* were added, 0 where the queue knows none."""
        with queue_errors():
            return int(await self._client.get(f"{self._prefix}:log-checkpoint:{log}") or 0)

    async def keep_checkpoint(self, log: str, sequence: int) -> None:
        """Keep a checkpoint."""
        with queue_errors():
            await self._client.set(f"{self._prefix}:log-checkpoint:{log}", sequence)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _queue_of(self, job_id: str) -> QueueName:
        """Return which queue has a job; raises JobNotFoundError.

        BullMQ has other keys next to those of jobs: an id that names one of them is none of a job.
        """
        for name, queue in self._queues.items():
            try:
                if await self._client.hexists(queue.toKey(job_id), _OF_JOBS_ALONE):
                    return name
            except ResponseError:  # the key of a list or a set
                continue
        raise JobNotFoundError(f"there is no job {job_id}")

    async def _shown(self, job_id: str) -> Job:
        name = await self._queue_of(job_id)
        queue = self._queues[name]
        # The state first: what is read after it is not older, so that a failed job has its reason.
        state = state_named(await queue.getJobState(job_id))
        job = await queue.getJob(job_id)
        if job is None:
            raise JobNotFoundError(f"there is no job {job_id}")
        return await self._view(name, job, state)

    async def _view(self, name: QueueName, job: Any, state: JobState) -> Job:
        queue = self._queues[name]
        cancelled = await self._client.hget(queue.toKey(job.id), CANCELLED)
        score = await self._client.zscore(queue.toKey("delayed"), job.id)
        return shown(job, name, state, cancelled=cancelled is not None, score=score)


def _options(kind: Kind, job: NewJob) -> dict[str, Any]:
    delay = 0 if job.due is None else max(0, job.due - now_ms())
    return {**_common(kind), "jobId": job.id, "delay": delay}


def _common(kind: Kind) -> dict[str, Any]:
    """Return the options of every job of a kind.

    Stack traces are not stored: they could hold what people wrote.
    """
    return {
        "attempts": kind.attempts,
        "backoff": {"type": "jitter", "delay": round(kind.pause_seconds * 1000)},
        "priority": PRIORITIES[kind.queue],
        "removeOnComplete": {"age": _KEPT_SECONDS, "count": _KEPT_JOBS},
        "removeOnFail": {"age": _KEPT_SECONDS},
        "stackTraceLimit": 0,
    }
