"""A job: what is asked for, and what a queue shows of it."""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

_ID = re.compile(r"(?!waiting-children$)[a-z][a-z-]*-[A-Za-z0-9._-]{1,120}")
_VALUE = re.compile(r"[A-Za-z0-9._:-]{0,150}")
_MOST_VALUES = 10

JobData = Mapping[str, str | int]
"""What a job is about: ids, numbers and times. Everything else is loaded when the job runs."""


class QueueName(StrEnum):
    """The queues: what a user waits for, and everything else."""

    CRITICAL = "critical"
    BACKGROUND = "background"


PRIORITIES: Mapping[QueueName, int] = {QueueName.CRITICAL: 1, QueueName.BACKGROUND: 10}
"""The priority that the jobs of a queue have; a lower number goes first."""


class JobState(StrEnum):
    """Where a job stands. One that failed for the last time is a dead letter until somebody retries it."""

    ACTIVE = "active"
    WAITING = "waiting"
    DELAYED = "delayed"
    FAILED = "failed"
    COMPLETED = "completed"


class JobError(Exception):
    """A job cannot be what it is asked to be."""


class JobsUnavailableError(Exception):
    """The server of the queue does not answer; the log still has everything that it is asked for."""


class NoJobsError(Exception):
    """This installation has no queue: jobs are off, or not installed."""


class JobNotFoundError(Exception):
    """No queue has a job with this id."""


class NewJob(Struct, frozen=True, kw_only=True):
    """A job to be added: adding another one with the same *id* changes nothing.

    An id begins with a word and a hyphen, such as its kind, so that it is none of the queue's own names. The
    job is due at *due*, milliseconds since 1970, at once with None. *data* holds ids and numbers only, never
    an address, a name or a text: an erasure need not look into queues.
    """

    kind: str
    id: str
    data: JobData = {}
    due: int | None = None

    def __post_init__(self) -> None:
        """Raise JobError where the id cannot be one, or *data* could hold what a person wrote."""
        if not _ID.fullmatch(self.id):
            raise JobError(f"{self.id!r} cannot be the id of a job: begin it with its kind and a hyphen")
        check_data(self.data)


class Job(Struct, frozen=True, kw_only=True):
    """A job as its queue has it. Times are milliseconds since 1970, *progress* is in percent.

    It was begun *attempts* times and ended without success, of *most_attempts*; *reason* says why it failed
    the last time. With *cancelled*, it does not begin any more.
    """

    id: str
    kind: str
    queue: QueueName
    state: JobState
    data: JobData
    progress: int
    attempts: int
    most_attempts: int
    reason: str | None
    cancelled: bool
    added_at: int
    due_at: int
    started_at: int | None
    finished_at: int | None


class QueueFigures(Struct, frozen=True, kw_only=True):
    """How many jobs a queue has in each state, and since when its oldest one waits (milliseconds)."""

    counts: Mapping[JobState, int]
    oldest: int | None

    def waited(self, now: float) -> float:
        """Return the seconds that the oldest job has waited at *now* (seconds since 1970), 0 without one."""
        return 0.0 if self.oldest is None else max(0.0, now - self.oldest / 1000)


def check_data(data: JobData) -> None:
    """Raise JobError where *data* could hold more than ids, numbers and times."""
    if len(data) > _MOST_VALUES:
        raise JobError(f"a job holds at most {_MOST_VALUES} values")
    for name, value in data.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise JobError(f"{name} of a job is a text or a whole number")
        if isinstance(value, str) and not _VALUE.fullmatch(value):
            raise JobError(f"{name} of a job is no id: a job holds ids, numbers and times only")
