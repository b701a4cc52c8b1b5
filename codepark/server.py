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

from codepark import shared_memory
from codepark.eraser import Eraser
from codepark.interpreter import prepare_interpreter
from codepark.limiting import build_limits, start_limits
from codepark.metrics import Metrics
from codepark.opening import open_parts
from codepark.operations import OPERATIONS
from codepark.parts import Parts
from codepark.published import published_by, read_again
from codepark.settings import Settings
from codepark.shared_memory import SharedMemory
from read_api.api import Api
from read_api.app import create_app
from read_api.auth.attempts import Attempts, MemoryAttempts, RedisAttempts
from read_api.auth.identity import Identity
from read_api.auth.mail import FileMailer, Mailer, SmtpMailer
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


def build_identity(parts: Parts) -> Identity:
    """Wire who may sign in, and with what."""
    settings = parts.settings
    sessions = None if settings.redis is None else settings.redis.sessions
    attempts: Attempts = MemoryAttempts()
    if sessions is not None:
        client = shared_memory.connect_async(sessions, settings.redis_ca_file)
        attempts = RedisAttempts(client, f"{settings.prefix}attempts.")
    return Identity(
        parts.logs.accounts,
        parts.secrets,
        attempts=attempts,
        mailer=build_mailer(settings),
        public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
    )


def build_eraser(parts: Parts, shared: SharedMemory, hub: Hub) -> Eraser:
    """Wire what erases people to the end."""
    return Eraser(
        parts,
        forget_here=[hub.forget],
        forget=[shared.cache.erase, parts.forget_answers],
        forget_mail=build_mailer(parts.settings).forget,
    )


def build_api(parts: Parts, shared: SharedMemory, hub: Hub, eraser: Eraser) -> Api:
    """Wire the HTTP surface over *parts*."""
    limits = build_limits(parts.settings)
    metrics, published = Metrics(parts, limits), published_by(parts.secrets)

    async def erased(account_id: str) -> bool:
        return await asyncio.to_thread(eraser.wait, account_id, _ERASING_SECONDS)

    return Api(
        logs=parts.logs,
        bus=parts.bus,
        intake=parts.intake,
        progress=parts.progress,
        store=parts.store,
        queries=parts.queries,
        identity=build_identity(parts),
        published=published,
        published_again=read_again(parts.logs, published),
        erased=erased,
        hub=hub,
        limits=limits,
        cache=shared.cache,
        past=parts.past,
        not_ready=parts.behind,
        metrics=metrics.write,
        operations={name: partial(run, parts) for name, run in OPERATIONS.items()},
        in_flight=set(),
        models=parts.main_models,
        asyncapi=_asyncapi(parts),
        graphql=parts.settings.graphql,
        left=parts.left,
        in_threads=parts.remote,
        read_latest=not parts.remote,
        gateway=parts.settings.gateway,
    )


def _asyncapi(parts: Parts) -> bytes:
    """Return the AsyncAPI document: the public topics where there are any, and the live channels."""
    kafka = parts.settings.kafka
    prefix = DEFAULT_PREFIX if kafka is None else kafka.prefix
    servers = None if kafka is None else kafka.bootstrap_servers
    return msgspec.json.encode(asyncapi_document(prefix, version("codepark"), servers))


def serve(settings: Settings, started: Callable[[Parts], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; *started* is called from its own thread once requests are answered.

    Raises what `Parts` raises where the data directory cannot be used.
    """
    prepare_interpreter()
    parts = open_parts(settings)
    shared = SharedMemory(settings, parts.logs)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, parts, shared, started))
    finally:
        shared.close()
        parts.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 # not on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(
    settings: Settings,
    parts: Parts,
    shared: SharedMemory,
    started: Callable[[Parts], None] | None,
) -> None:
    loop = asyncio.get_running_loop()
    parts.progress.bind(loop)
    parts.bind(loop)
    hub = Hub(parts.logs)
    eraser = build_eraser(parts, shared, hub)
    api = build_api(parts, shared, hub, eraser)
    api.hub.start(loop)
    await start_limits(api.limits)
    parts.start()
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
    node = _node_server(settings, parts)
    node_serving = None if node is None else loop.create_task(node.serve())
    url = f"{'https' if settings.gateway.tls else 'http'}://{settings.host}:{settings.port}"
    parts.directory.announce(url, shared.url, settings.gateway.tls_cert_file)
    logger.info("serving", url=url, data=str(settings.data))
    background = None if started is None else loop.run_in_executor(None, started, parts)
    stopping = loop.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await _stop(api, server, serving)
    if node is not None and node_serving is not None:
        node.stop()  # type: ignore[no-untyped-call] # granian
        await asyncio.wait({node_serving}, timeout=_STOP_SECONDS)
    await api.limits.aclose()
    await parts.end_in_loop()
    stopping.cancel()
    await api.identity.close()
    await asyncio.to_thread(eraser.close)
    if background is not None:
        background.cancel()
    if serving.done() and not serving.cancelled():
        serving.result()


def _node_server(settings: Settings, parts: Parts) -> Server | None:
    """Return the listener for other nodes, None where there is none."""
    if parts.node_listener is None or settings.node_address is None:
        return None
    host, _, port = settings.node_address.rpartition(":")
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104 # what the settings say
    return Server(
        parts.node_listener,
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
