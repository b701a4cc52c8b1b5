"""The server process of the embedded profile: granian in our event loop, and an orderly end."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import msgspec
import structlog
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from codepark import cache_and_channel
from codepark.cache_and_channel import SharedMemory
from codepark.eraser import Eraser
from codepark.interpreter import prepare_interpreter
from codepark.limiter_choice import build_limits, start_limits
from codepark.metrics import Metrics
from codepark.operations import OPERATIONS
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Profile
from codepark.published_events import published_by, read_again
from codepark.settings import Settings
from read_api.api import Api
from read_api.app import create_app
from read_api.auth.attempts import Attempts, MemoryAttempts, RedisAttempts
from read_api.auth.identity import Identity
from read_api.auth.mail import FileMailer, Mailer, SmtpMailer
from read_api.past_answers import PastAnswers
from read_api.realtime.hub import Hub
from streams.public.asyncapi import asyncapi_document
from streams.public.topics import DEFAULT_PREFIX

_DRAIN_SECONDS = 1.0
_STOP_SECONDS = 3.0
_ERASING_SECONDS = 5.0

logger = structlog.get_logger(__name__)


def build_mailer(settings: Settings) -> Mailer:
    """Return what hands mail on: a server where one is set, files otherwise."""
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    return FileMailer(settings.data / "mail", settings.mail_from)


def build_identity(profile: Profile) -> Identity:
    """Wire who may sign in, and with what."""
    settings = profile.settings
    sessions = None if settings.redis is None else settings.redis.sessions
    attempts: Attempts = MemoryAttempts()
    if sessions is not None:
        client = cache_and_channel.connect_async(sessions, settings.redis_ca_file)
        attempts = RedisAttempts(client, f"{settings.prefix}attempts.")
    return Identity(
        profile.logs.accounts,
        profile.secrets,
        attempts=attempts,
        mailer=build_mailer(settings),
        public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
    )


def build_eraser(profile: Profile, shared: SharedMemory, hub: Hub) -> Eraser:
    """Wire what erases people to the end."""
    return Eraser(
        profile,
        forget_here=[hub.forget],
        forget=[shared.cache.erase, profile.forget_answers],
        forget_mail=build_mailer(profile.settings).forget,
    )


def build_api(profile: Profile, shared: SharedMemory, hub: Hub, eraser: Eraser) -> Api:
    """Wire the HTTP surface over *profile*."""
    limits = build_limits(profile.settings)
    metrics, published = Metrics(profile, limits), published_by(profile.secrets)

    async def erased(account_id: str) -> bool:
        return await asyncio.to_thread(eraser.wait, account_id, _ERASING_SECONDS)

    return Api(
        logs=profile.logs,
        bus=profile.bus,
        intake=profile.intake,
        progress=profile.progress,
        queries=profile.queries,
        identity=build_identity(profile),
        published=published,
        published_again=read_again(profile.logs, published),
        erased=erased,
        hub=hub,
        limits=limits,
        cache=shared.cache,
        past=PastAnswers(profile.past),
        not_ready=profile.behind,
        metrics=metrics.write,
        operations={name: partial(run, profile) for name, run in OPERATIONS.items()},
        models=profile.main_models,
        asyncapi=_asyncapi(profile),
        graphql=profile.settings.graphql,
        changed_resource=profile.changed_resource,
        in_threads=profile.remote,
        read_latest=not profile.remote,
        gateway=profile.settings.gateway,
    )


def _asyncapi(profile: Profile) -> bytes:
    """Return the AsyncAPI document: the public topics where there are any, and the live channels."""
    kafka = profile.settings.kafka
    prefix = DEFAULT_PREFIX if kafka is None else kafka.prefix
    servers = None if kafka is None else kafka.bootstrap_servers
    return msgspec.json.encode(asyncapi_document(prefix, version("codepark"), servers))


def serve(settings: Settings, started: Callable[[Profile], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; *started* is called from its own thread once requests are answered.

    Raises what `Profile` raises where the data directory cannot be used.
    """
    prepare_interpreter()
    profile = open_profile(settings)
    shared = SharedMemory(settings, profile.logs)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, profile, shared, started))
    finally:
        shared.close()
        profile.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 # not on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(
    settings: Settings,
    profile: Profile,
    shared: SharedMemory,
    started: Callable[[Profile], None] | None,
) -> None:
    loop = asyncio.get_running_loop()
    profile.progress.bind(loop)
    profile.bind(loop)
    hub = Hub(profile.logs)
    eraser = build_eraser(profile, shared, hub)
    api = build_api(profile, shared, hub, eraser)
    api.hub.start(loop)
    await start_limits(api.limits)
    profile.start()
    eraser.start()
    server = Server(
        create_app(api),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=30_000, keep_alive=True),
        log_enabled=False,
        backlog=1024,
        ssl_cert=settings.gateway.tls_cert_file,
        ssl_key=settings.gateway.tls_key_file,
        ssl_protocol_min=SSLProtocols.tls13,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = loop.create_task(server.serve())
    node = _node_server(settings, profile)
    node_serving = None if node is None else loop.create_task(node.serve())
    url = f"{'https' if settings.gateway.tls else 'http'}://{settings.host}:{settings.port}"
    profile.directory.announce(url, shared.url, settings.gateway.tls_cert_file)
    logger.info("serving", url=url, data=str(settings.data))
    background = None if started is None else loop.run_in_executor(None, started, profile)
    stopping = loop.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await _stop(api, server, serving)
    if node is not None and node_serving is not None:
        node.stop()  # type: ignore[no-untyped-call] # granian
        await asyncio.wait({node_serving}, timeout=_STOP_SECONDS)
    await api.limits.aclose()
    await profile.end_in_loop()
    stopping.cancel()
    await api.identity.close()
    await asyncio.to_thread(eraser.close)
    if background is not None:
        background.cancel()
    if serving.done() and not serving.cancelled():
        serving.result()


def _node_server(settings: Settings, profile: Profile) -> Server | None:
    """Return the listener for other nodes, None where there is none."""
    if profile.node_listener is None or settings.node_address is None:
        return None
    host, _, port = settings.node_address.rpartition(":")
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104 # what the settings say
    return Server(
        profile.node_listener,
        address=settings.host if everywhere else host,  # others may know this node by a name
        port=int(port),
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
        backlog=256,
    )


async def _stop(api: Api, server: Server, serving: asyncio.Task[None]) -> None:
    """End the streams first, then the server: granian waits for every open response."""
    api.hub.drain()
    await api.hub.drained(_DRAIN_SECONDS)
    server.stop()  # type: ignore[no-untyped-call] # granian
    done, _ = await asyncio.wait({serving}, timeout=_STOP_SECONDS)
    if not done:
        logger.warning("some connections did not end in time")
        serving.cancel()
