"""A kind of job: its queue, its limits, and the work itself."""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from jobs.job import JobData, QueueName

_LONGEST_PAUSE = 3_600.0


class RunningJob(Protocol):
    """What the work of a job knows of it."""

    @property
    def id(self) -> str:
        """Return the job's id: the same for every attempt, and so the idempotency key of what it changes."""
        ...

    @property
    def data(self) -> JobData:
        """Return what the job is about."""
        ...

    async def progress(self, percent: int) -> None:
        """Let others see how far the job is."""
        ...


Work = Callable[[RunningJob], Awaitable[None]]
"""Does a job. It may be cancelled at any await, and is called again after a failure or a crash."""


class HopelessError(Exception):
    """Another attempt cannot succeed: the job fails at once. The message names no person and no text."""


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of job.

    A job has *attempts*; before the second there is a pause of about *pause_seconds*, then twice as long each
    time. An attempt that takes longer than *deadline_seconds* has failed. A worker runs *concurrency* of them
    at once. With *one_of*, the installation runs one at a time of those for which it returns the same key.
    *caused_by* returns the trace context (`traceparent`) of the event that asked for a job, if one did. It
    may read the log.
    """

    name: str
    work: Work
    queue: QueueName = QueueName.BACKGROUND
    attempts: int = 5
    pause_seconds: float = 5.0
    deadline_seconds: float = 60.0
    concurrency: int = 4
    one_of: Callable[[JobData], str] | None = None
    caused_by: Callable[[JobData], str | None] | None = None


class Schedule(Struct, frozen=True):
    """A job of *kind* is added at the times of a cron *pattern* (five fields, UTC)."""

    kind: str
    pattern: str


def kinds_by_name(kinds: Iterable[Kind]) -> Mapping[str, Kind]:
    """Return *kinds* by name; raises TypeError where two have the same."""
    by_name: dict[str, Kind] = {}
    for kind in kinds:
        if by_name.setdefault(kind.name, kind) is not kind:
            raise TypeError(f"two kinds of jobs are called {kind.name}")
    return MappingProxyType(by_name)


def pause_before(attempt: int, first_seconds: float, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds before an *attempt*, the second or a later one: exponential, with jitter.

    It is between a half and the whole of first · 2^(attempt - 2), and at most an hour: jobs that failed
    together do not come back together.
    """
    longest = min(first_seconds * 2.0 ** min(attempt - 2, 32), _LONGEST_PAUSE)
    return longest * (0.5 + chance() / 2)
