"""What BullMQ stores of a job, as ours."""

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.job import Job, JobError, JobState, QueueName, check_data

CANCELLED = "cancelled"
"""The field of a job's hash that a cancelled job has. BullMQ ignores it, and removes it with the job."""

_SCORE_OF_MILLISECOND = 0x1000
_LONGEST_REASON = 500

TYPES: Mapping[JobState, tuple[tuple[str, bool], ...]] = {
    JobState.ACTIVE: (("active", True),),
    JobState.WAITING: (("prioritized", True), ("waiting", True)),
    JobState.DELAYED: (("delayed", True),),
    JobState.FAILED: (("failed", False),),
    JobState.COMPLETED: (("completed", False),),
}
"""Which of BullMQ's types are in a state, each with whether its order is ascending."""

_STATES = {type_: state for state, types in TYPES.items() for type_, _ in types}


def state_named(type_: str) -> JobState:
    """Return the state of a job of BullMQ's *type_*; one that a Node program made may wait for others."""
    return _STATES.get(type_, JobState.WAITING)


def oldest_of(jobs: Iterable[Any]) -> int | None:
    """Return since when the oldest of BullMQ's *jobs* is due, None where there is none."""
    return min((job.timestamp + job.delay for job in jobs), default=None)


def shown(job: Any, queue: QueueName, state: JobState, *, cancelled: bool, score: float | None) -> Job:
    """Return what administrators see of a job; *score* is that among the delayed jobs, if it is one."""
    due = job.timestamp + job.delay if score is None else int(score) // _SCORE_OF_MILLISECOND
    ended = state in (JobState.FAILED, JobState.COMPLETED)
    reason = job.failedReason
    return Job(
        id=job.id,
        kind=job.name,
        queue=queue,
        state=state,
        data=_checked(job.data),
        progress=_percent(job.progress),
        attempts=job.attemptsMade,
        most_attempts=max(1, job.opts.get("attempts") or 1),
        reason=str(reason)[:_LONGEST_REASON] if reason and state is not JobState.COMPLETED else None,
        cancelled=cancelled,
        added_at=job.timestamp,
        due_at=due,
        started_at=job.processedOn or None,
        finished_at=job.finishedOn if ended and job.finishedOn else None,
    )


def _checked(data: Any) -> dict[str, str | int]:
    """Return the data of a job, nothing where another program stored more than ids and numbers."""
    try:
        if isinstance(data, dict):
            check_data(data)
            return dict(data)
    except JobError:
        pass
    return {}


def _percent(progress: Any) -> int:
    """Return a progress in percent; a Node program may store an object instead."""
    if isinstance(progress, bool) or not isinstance(progress, int | float):
        return 0
    return min(100, max(0, round(progress)))
