"""The port of the queue: what the reactor, administrators and metrics ask of it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from jobs.job import Job, JobState, NewJob, NoJobsError, QueueFigures, QueueName
from jobs.kind import Schedule


class JobQueue(Protocol):
    """The queues of an installation.

    Every method raises JobsUnavailableError where their server does not answer.
    """

    async def add(self, jobs: Sequence[NewJob]) -> None:
        """Add *jobs*; those whose ids the queue has are left as they are. Raises JobError."""
        ...

    async def get(self, job_id: str) -> Job:
        """Return a job; raises JobNotFoundError."""
        ...

    async def page(
        self, queue: QueueName | None, state: JobState | None, *, skip: int, limit: int
    ) -> list[Job]:
        """Return up to *limit* jobs after the first *skip*, of every queue and state with None.

        Those at work come first, then what waits in its order, then what ended, the newest first.
        """
        ...

    async def retry(self, job_id: str) -> Job:
        """Let a job that failed or was cancelled begin again, with all of its attempts.

        Raises JobNotFoundError, and JobError where it is neither.
        """
        ...

    async def cancel(self, job_id: str) -> Job:
        """Let a job that has not ended not begin any more, and interrupt it where it is at work.

        Raises JobNotFoundError, and JobError where it has ended.
        """
        ...

    async def figures(self) -> Mapping[QueueName, QueueFigures]:
        """Return how full each queue is."""
        ...

    async def schedule(self, schedules: Sequence[Schedule]) -> None:
        """Add jobs at the times of *schedules*, and at no others."""
        ...

    async def remove_ended(self, before: int) -> int:
        """Remove the jobs that ended before *before* (milliseconds), and return how many; at most 10,000."""
        ...

    async def checkpoint(self, log: str) -> int:
        """Return the sequence through which the jobs of *log* were added, 0 where the queue knows none.

        It is stored with the jobs: a server that lost the last ones has lost the checkpoint after them.
        """
        ...

    async def keep_checkpoint(self, log: str, sequence: int) -> None:
        """Keep a checkpoint."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def no_jobs() -> JobQueue:
    """Raise NoJobsError: a surface without a server has no queue."""
    raise NoJobsError("this installation runs no jobs")
