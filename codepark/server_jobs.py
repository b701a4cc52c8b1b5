"""The queue of a server: its own one, with the jobs in this process, or the one that workers serve."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from codepark.jobs_service import JobsService, connected_queue, jobs_possible
from codepark.profiles.profile import Profile
from codepark.settings import Settings
from jobs.job import JobsUnavailableError, NoJobsError
from jobs.queue import JobQueue
from read_api.auth.mail import Mailer

if TYPE_CHECKING:
    from codepark.valkey import Valkey

logger = structlog.get_logger(__name__)


class ServerJobs:
    """The jobs of a server.

    In the embedded profile, this process has a Valkey for the queue alone and runs the jobs. In the cluster
    profile `codepark worker jobs` does; a server only shows and changes them. It starts after everything
    else: nobody who asks for a page waits for it.
    """

    def __init__(self, profile: Profile, mailer: Mailer, announce: Callable[[str], None]) -> None:
        """Serve the jobs of *profile*; *announce* gets the URL of this process's own queue."""
        self._profile = profile
        self._mailer = mailer
        self._announce = announce
        self._queue: JobQueue | None = None
        self._service: JobsService | None = None
        self._valkey: Valkey | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ended = False

    def queue(self) -> JobQueue:
        """Return the queue; raises JobsUnavailableError where it is not ready yet, else NoJobsError."""
        if self._queue is not None:
            return self._queue
        if not jobs_possible(self._profile.settings):
            raise NoJobsError("this installation runs no jobs: they are off, or not installed")
        raise JobsUnavailableError("the queue is not ready yet")

    def start(self) -> None:
        """Start in the background, in the running event loop."""
        if jobs_possible(self._profile.settings):
            self._starting = asyncio.ensure_future(self._start())

    async def stop(self) -> None:
        """End what was started, once the start has ended; jobs at work have 5 s."""
        self._ended = True
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._service is not None:
            await self._service.stop()
        elif self._queue is not None:
            await self._queue.close()
        if self._valkey is not None:
            await asyncio.to_thread(self._valkey.close)

    async def _start(self) -> None:
        try:
            if self._profile.settings.kafka is None:
                await self._start_own()
            else:
                self._queue = await asyncio.to_thread(_queue_of_workers, self._profile.settings)
        except Exception as error:  # noqa: BLE001 # whatever it is, the server serves without jobs
            logger.error("there are no jobs on this machine", reason=f"{type(error).__name__}: {error}")

    async def _start_own(self) -> None:
        """Start a server for the queue, and run the jobs here, unless the process ends meanwhile."""
        self._valkey = await asyncio.to_thread(_own_server, self._profile)
        await asyncio.to_thread(_import_bullmq)
        if self._ended:
            return
        url = f"unix://{self._valkey.socket}"
        self._service = JobsService(self._profile, self._mailer, url)
        self._service.start()
        self._queue = self._service.queue
        self._announce(url)


def _queue_of_workers(settings: Settings) -> JobQueue:
    return connected_queue(settings, settings.cluster().redis.queue)


def _own_server(profile: Profile) -> "Valkey":
    from codepark.valkey import Valkey  # noqa: PLC0415 # not every platform has a wheel of it

    return Valkey(profile.directory.queue)


def _import_bullmq() -> None:
    """Import what takes a while in a thread, and not in the event loop."""
