"""Background jobs as REST, GraphQL and the command line show them to administrators."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from domain.times import rfc3339
from jobs.job import Job, JobError, JobNotFoundError, JobState, JobsUnavailableError, NoJobsError, QueueName
from jobs.queue import JobQueue
from projections.queries.page import Page, decode_cursor, encode_cursor
from projections.writes import Document
from read_api.contract.queries import ListQuery
from read_api.contract.views import View
from read_api.gateway.call import Call
from read_api.problems import HttpError, unavailable

T = TypeVar("T")

_CONFLICT, _NOT_FOUND = 409, 404


class JobListQuery(ListQuery):
    """Which jobs: of one queue, in one state; those that failed are the dead letters."""

    queue: QueueName | None = None
    status: JobState | None = None


class JobView(View):
    """A background job.

    *data* holds ids and numbers alone. *progress* is in percent. It was begun *attempts* times of
    *mostAttempts*; *reason* says why it failed the last time. One that is *cancelled* does not begin any
    more.
    """

    id: str
    kind: str
    queue: QueueName
    status: JobState
    data: dict[str, str | int]
    progress: int
    attempts: int
    most_attempts: int
    reason: str | None
    cancelled: bool
    added_at: str
    due_at: str
    started_at: str | None
    finished_at: str | None


async def asked(call: Call, question: Callable[[JobQueue], Awaitable[T]]) -> T:
    """Ask the queue of the installation; raises HttpError 404, 409 and 503."""
    try:
        return await question(call.api.jobs())
    except JobNotFoundError as error:
        raise HttpError(_NOT_FOUND, "job_not_found", str(error)) from error
    except NoJobsError as error:
        raise HttpError(_NOT_FOUND, "no_jobs", str(error)) from error
    except JobError as error:
        raise HttpError(_CONFLICT, "job_status", str(error)) from error
    except JobsUnavailableError as error:
        raise unavailable("queue_unavailable", str(error)) from error


async def list_jobs(call: Call, query: JobListQuery) -> tuple[Page, int]:
    """Return a page of jobs, and how many come before it; raises HttpError and InvalidError."""
    await _reached(call)
    list_id = f"jobs {query.queue} {query.status}"
    skip = 0 if query.cursor is None else _place(list_id, query.cursor)
    limit = query.limit
    jobs = await asked(call, lambda queue: queue.page(query.queue, query.status, skip=skip, limit=limit + 1))
    more = len(jobs) > limit
    cursor = encode_cursor(list_id, skip + limit, "") if more else None
    return Page(items=[job_document(job) for job in jobs[:limit]], next_cursor=cursor, list_id=list_id), skip


async def job_named(call: Call, job_id: str) -> Document:
    """Return a job; raises HttpError."""
    await _reached(call)
    return job_document(await asked(call, lambda queue: queue.get(job_id)))


async def _reached(call: Call) -> None:
    """Refuse a position that is none; raises HttpError. Without one, the read models may be behind."""
    if call.after is not None:
        await call.read(lambda _: None)


def job_document(job: Job) -> Document:
    """Return what is shown of a job."""
    return {
        "id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "status": job.state,
        "data": dict(job.data),
        "progress": job.progress,
        "attempts": job.attempts,
        "mostAttempts": job.most_attempts,
        "reason": job.reason,
        "cancelled": job.cancelled,
        "addedAt": rfc3339(job.added_at),
        "dueAt": rfc3339(job.due_at),
        "startedAt": _time(job.started_at),
        "finishedAt": _time(job.finished_at),
    }


def _place(list_id: str, cursor: str) -> int:
    place: Any = decode_cursor(list_id, cursor)[0]
    return max(0, int(place))


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else rfc3339(milliseconds)
