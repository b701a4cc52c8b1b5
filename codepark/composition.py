"""Wire the HTTP surface over a profile: identity, limits, erasures, published events, metrics."""

import asyncio
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import version

import msgspec

from codepark.business_metrics import BusinessMetrics
from codepark.cache_and_channel import CacheAndChannel
from codepark.eraser import Eraser
from codepark.error_reports import report_feedback
from codepark.jobs_service import jobs_possible
from codepark.limiter_choice import build_limits
from codepark.metrics import Metrics
from codepark.operation_answers import answered
from codepark.operations import OPERATIONS
from codepark.profiles.profile import Node, Profile
from codepark.published_events import PublishedEvents
from codepark.redis_clients import connect_async
from codepark.settings import Settings
from codepark.shared_metrics import SharedMetrics
from commands.bus import accepted
from commands.intake import CommandMetadata
from domain.actor import SERVICE
from domain.command import Command
from jobs.queue import JobQueue, no_jobs
from read_api.api import Api
from read_api.auth.attempts import Attempts, MemoryAttempts, RedisAttempts
from read_api.auth.identity import Identity
from read_api.auth.mail import FileMailer, Mailer, SmtpMailer
from read_api.past_answers import PastAnswers
from read_api.realtime.hub import Hub
from streams.public.asyncapi import asyncapi_document
from streams.public.publications import PUBLISHED
from streams.public.schemas import schema, schema_path
from streams.public.topics import DEFAULT_PREFIX

_ERASING_SECONDS = 5.0
_ANY_HOST = "host.invalid"
"""Stands for the host in the AsyncAPI document until a request names it (RFC 2606: nobody has this name)."""


def build_mailer(settings: Settings) -> Mailer:
    """Return what sends mail: through a server where one is set, else into files."""
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    return FileMailer(settings.data / "mail", settings.mail_from)


def build_identity(profile: Profile, *, jobs_notify: bool = False) -> Identity:
    """Wire sign-ins: accounts and sessions, counted attempts, and mail that no job sends."""
    settings = profile.settings
    attempts: Attempts = MemoryAttempts()
    if settings.redis is not None:
        client = connect_async(settings.redis.sessions, settings.redis_ca_file)
        attempts = RedisAttempts(client, f"{settings.prefix}attempts.")

    async def record(command: Command) -> None:
        submission = profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
        accepted((await profile.bus.execute([submission]))[0])

    return Identity(
        profile.logs.accounts,
        profile.secrets,
        attempts=attempts,
        mailer=build_mailer(settings),
        public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
        verifies=settings.smtp_url is not None,
        password_memory=settings.password_memory,
        record=record,
        jobs_notify=jobs_notify,
    )


def build_eraser(profile: Profile, shared: CacheAndChannel, hub: Hub) -> Eraser:
    """Wire what erases people completely."""
    return Eraser(
        profile,
        forget_here=[hub.forget],
        forget=[shared.cache.erase, profile.forget_answers],
        forget_mail=build_mailer(profile.settings).forget,
    )


def build_api(
    profile: Profile,
    shared: CacheAndChannel,
    hub: Hub,
    eraser: Eraser,
    jobs: Callable[[], JobQueue] = no_jobs,
) -> Api:
    """Wire the HTTP surface over *profile*; *jobs* returns the queue, and jobs send what events ask for."""
    limits = build_limits(profile.settings)
    published = PublishedEvents(profile.logs, profile.secrets)
    node = profile if isinstance(profile, Node) else None

    async def erased(account_id: str) -> bool:
        return await asyncio.to_thread(eraser.wait, account_id, _ERASING_SECONDS)

    return Api(
        logs=profile.logs,
        bus=profile.bus,
        intake=profile.intake,
        progress=profile.progress,
        queries=profile.queries,
        identity=build_identity(profile, jobs_notify=jobs is not no_jobs and jobs_possible(profile.settings)),
        published=published.of_record,
        published_again=published.of_event,
        erased=erased,
        pass_on_feedback=report_feedback,
        hub=hub,
        limits=limits,
        cache=shared.cache,
        past=PastAnswers(profile.past),
        replays=PastAnswers(profile.past),
        not_ready=profile.not_ready,
        does_without=profile.does_without,
        jobs=jobs,
        metrics=SharedMetrics(
            Metrics(profile, limits).registry,
            profile.settings.processes,
            BusinessMetrics(profile.queries.business),
        ),
        operations={name: partial(answered, partial(run, profile)) for name, run in OPERATIONS.items()},
        models=profile.main_models,
        asyncapi=_asyncapi(profile.settings),
        event_schemas=_event_schemas(),
        graphql=profile.settings.graphql,
        changed_resource=None if node is None else node.changed_resource,
        in_threads=node is not None,
        read_latest=node is None,
        gateway=profile.settings.gateway,
    )


def _asyncapi(settings: Settings) -> Callable[[str], bytes]:
    """Return what writes the AsyncAPI document for an address: the topics, if any, and the live channels.

    Where the settings say under which address people reach the server, the document has that one. It is made
    once for each scheme: the host of a request is only put in its place.
    """
    prefix = DEFAULT_PREFIX if settings.kafka is None else settings.kafka.prefix
    servers = None if settings.kafka is None else settings.kafka.bootstrap_servers

    @cache
    def made(scheme: str) -> bytes:
        address = f"{scheme}://{_ANY_HOST}"
        return msgspec.json.encode(asyncapi_document(prefix, version("codepark"), servers, address=address))

    def written(address: str) -> bytes:
        scheme, _, host = (settings.public_url or address).rstrip("/").partition("://")
        return made(scheme).replace(_ANY_HOST.encode(), host.encode())

    return written


def _event_schemas() -> dict[str, bytes]:
    """Return the schemas of the public events by the paths under which they are shown."""
    return {schema_path(each): msgspec.json.encode(schema(each)) for each in PUBLISHED}
