"""`codepark jobs …`: look at the jobs of an installation, retry and cancel them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import cyclopts
from cyclopts import Parameter
from rich.table import Table

from codepark.cli.failures import CommandError
from codepark.cli.options import Data, Json, quiet_settings
from codepark.cli.results import show
from codepark.data_directory import DataDirectory
from codepark.jobs_service import connected_queue, jobs_possible
from codepark.settings import Settings
from jobs.job import Job, JobError, JobNotFoundError, JobState, JobsUnavailableError, QueueName
from jobs.queue import JobQueue
from read_api.contract.jobs import job_document

T = TypeVar("T")

Limit = Annotated[
    int,
    Parameter(
        help="How many jobs are listed at most.", validator=cyclopts.validators.Number(gte=1, lte=1000)
    ),
]

jobs_app = cyclopts.App(name="jobs", help="Look at background jobs, retry and cancel them.")


@jobs_app.command(name="list")
def list_jobs(
    *,
    queue: QueueName | None = None,
    status: JobState | None = None,
    limit: Limit = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List jobs: those at work first, then what waits, then what failed or was completed.

    Parameters
    ----------
    queue
        Only the jobs of this queue.
    status
        Only the jobs in this state; those that failed are the dead letters.
    """

    async def listed(jobs: JobQueue) -> list[Job]:
        return await jobs.page(queue, status, skip=0, limit=limit)

    found = _ask(quiet_settings(data), listed)
    table = Table("job", "queue", "status", "attempts", "due", "reason")
    documents = [job_document(job) for job in found]
    for job, document in zip(found, documents, strict=True):
        shown = f"{job.state}, cancelled" if job.cancelled else job.state
        attempts = f"{job.attempts} of {job.most_attempts}"
        table.add_row(job.id, job.queue, shown, attempts, document["dueAt"], job.reason or "")
    show({"items": documents}, table if found else "there are no jobs", as_json=as_json)


@jobs_app.command(name="show")
def show_job(job_id: str, *, data: Data = None, as_json: Json = False) -> None:
    """Show one job."""
    _show(_ask(quiet_settings(data), lambda jobs: jobs.get(job_id)), as_json=as_json)


@jobs_app.command(name="retry")
def retry_job(job_id: str, *, data: Data = None, as_json: Json = False) -> None:
    """Let a job that failed or was cancelled begin again, with all of its attempts."""
    _show(_ask(quiet_settings(data), lambda jobs: jobs.retry(job_id)), as_json=as_json)


@jobs_app.command(name="cancel")
def cancel_job(job_id: str, *, data: Data = None, as_json: Json = False) -> None:
    """Let a job that has not ended not begin any more, and interrupt it where it is at work."""
    _show(_ask(quiet_settings(data), lambda jobs: jobs.cancel(job_id)), as_json=as_json)


def _ask(settings: Settings, question: Callable[[JobQueue], Awaitable[T]]) -> T:
    """Ask the queue of the installation; raises CommandError where it has none, or refuses."""

    async def asked() -> T:
        queue = connected_queue(settings, _url(settings))
        try:
            return await question(queue)
        finally:
            await queue.close()

    if not jobs_possible(settings):
        raise CommandError("jobs are off, or not installed: pip install 'codepark[jobs]'")
    try:
        return asyncio.run(asked())
    except (JobNotFoundError, JobError, JobsUnavailableError) as error:
        raise CommandError(str(error)) from error


def _url(settings: Settings) -> str:
    """Return the URL of the queue: that of the settings, or of the server that runs."""
    if settings.kafka is not None:
        return settings.cluster().redis.queue
    server = DataDirectory(settings.data).server()
    if server is None or server.queue_url is None:
        raise CommandError(f"no server with jobs runs in {settings.data}: start it with `codepark serve`")
    return server.queue_url


def _show(job: Job, *, as_json: bool) -> None:
    table = Table(show_header=False)
    document = job_document(job)
    for name, value in document.items():
        table.add_row(name, "" if value is None else str(value))
    show(document, table, as_json=as_json)
