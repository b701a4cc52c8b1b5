"""`codepark worker jobs`: a node without a listener that adds and runs the jobs of a cluster."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from codepark.composition import build_mailer
from codepark.error_reports import reporting
from codepark.interpreter import prepare_interpreter
from codepark.jobs_service import JobsService, jobs_possible
from codepark.log_level import Hangups
from codepark.node_metrics import NodeCollector
from codepark.process_metrics import ProcessInOut
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Node, Profile
from codepark.settings import Settings
from codepark.traces import traced
from commands.environment import SettingsError
from domain.account.events import AccountErased
from domain.record import Record
from jobs.job import JobsUnavailableError
from processes.loops import new_event_loop, pause
from read_api.auth.mail import Mailer
from telemetry.instruments import Instruments

_RETRY_SECONDS = 1.0

logger = structlog.get_logger(__name__)


def run_jobs(settings: Settings, metrics_port: int | None) -> None:
    """Run jobs until SIGTERM or SIGINT.

    Raises SettingsError where jobs are off or not installed, or the queue's server would drop jobs; what
    `open_profile` raises; and what ends a process that does not belong to its installation.
    """
    if not jobs_possible(settings):
        raise SettingsError(
            "jobs are off, or not installed: unset CODEPARK_JOBS, pip install 'codepark[jobs]'"
        )
    Hangups(settings.log_level_file, settings.log_level).follow()
    with traced("codepark-worker"), reporting(settings.sentry):
        prepare_interpreter()
        with (
            closing(open_profile(settings)) as profile,
            asyncio.Runner(loop_factory=new_event_loop) as runner,
        ):
            runner.run(_run(profile, settings.cluster().redis.queue, metrics_port))


async def _run(profile: Profile, url: str, metrics_port: int | None) -> None:
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    mailer = build_mailer(profile.settings)
    _forget_the_erased(profile, mailer)
    profile.bind(loop)
    profile.start()
    if metrics_port is not None:
        _serve_metrics(profile, metrics_port)
    stopping = asyncio.ensure_future(signalled.wait())
    working = asyncio.ensure_future(_work(profile, mailer, url, signalled))
    waits: set[asyncio.Future[Any]] = {stopping, working}
    if profile.refused is not None:
        waits.add(profile.refused)
    done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    signalled.set()
    await asyncio.wait({working})
    if isinstance(profile, Node):
        await profile.disconnect()
    for ended in (*done, working):
        ended.result()


async def _work(profile: Profile, mailer: Mailer, url: str, ended: asyncio.Event) -> None:
    """Serve jobs until *ended* is set; raises SettingsError where the queue's server would drop jobs."""
    from jobs.bullmq.connection import eviction_of  # noqa: PLC0415 # needs the extra

    while not ended.is_set():
        try:
            reason = await eviction_of(url, profile.settings.redis_ca_file)
        except JobsUnavailableError as error:
            logger.warning("the queue does not answer yet", reason=str(error))
            await pause(ended, _RETRY_SECONDS)
            continue
        if reason is not None:
            raise SettingsError(reason)
        break
    if ended.is_set():
        return
    service = JobsService(profile, mailer, url)
    service.start()
    logger.info("working")
    await ended.wait()
    await service.stop()


def _forget_the_erased(profile: Profile, mailer: Mailer) -> None:
    """Forget the keys of erased people and the stored mail about them as soon as the log says so."""
    log = profile.logs.accounts

    def appended(records: Sequence[Record]) -> None:
        for record in records:
            if record.topic == AccountErased.TOPIC:
                event: Any = log.event(record)
                profile.keys.forget((event.account_id, *event.authors))
                mailer.forget(event.account_id)

    log.on_append(appended, frozenset({AccountErased.TOPIC}))


def _serve_metrics(profile: Profile, port: int) -> None:
    registry = CollectorRegistry()
    registry.register(Instruments())
    if isinstance(profile, Node):
        registry.register(NodeCollector(profile))
    ProcessCollector(registry=registry)
    registry.register(ProcessInOut())
    start_http_server(port, addr="127.0.0.1", registry=registry)
