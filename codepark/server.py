"""The server process of either profile: granian in our event loop, and an end in order."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import closing
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from codepark.cache_and_channel import CacheAndChannel
from codepark.composition import build_api, build_eraser, build_mailer
from codepark.error_reports import reporting
from codepark.interpreter import prepare_interpreter
from codepark.limiter_choice import start_limits
from codepark.log_level import Hangups, shared_file
from codepark.logs import standard_logging
from codepark.loop_watch import LoopWatch
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Node, Profile
from codepark.server_jobs import ServerJobs
from codepark.settings import Settings
from codepark.traces import traced
from processes.loops import new_event_loop
from read_api.app import create_app
from read_api.gateway.access_log import OFF, AccessLog
from read_api.realtime.hub import Hub

_DRAIN_SECONDS = 1.0
_STOP_SECONDS = 3.0
_HEADER_MILLISECONDS = 30_000

Started = Callable[[Profile], None]

logger = structlog.get_logger(__name__)


def serve(
    settings: Settings, started: Started | None = None, announce: Callable[[], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; *announce* is called once, and *started* runs in a thread meanwhile.

    Raises what `open_profile` raises where the data directory cannot be used, and what ends a process that
    does not belong to its installation.
    """
    processes = settings.processes
    level_file = settings.log_level_file if processes is None else shared_file(processes)
    Hangups(level_file, settings.log_level).follow()
    with traced("codepark-server"), reporting(settings.sentry):
        prepare_interpreter()  # after the modules that record traces
        with (
            closing(open_profile(settings)) as profile,
            closing(CacheAndChannel(settings, profile.logs)) as shared,
            asyncio.Runner(loop_factory=new_event_loop) as runner,
        ):
            runner.run(_serve(profile, shared, started, announce))


class ServedProfile:
    """A profile, its HTTP surface, and the servers that listen: for clients, and for other nodes."""

    def __init__(self, profile: Profile, shared: CacheAndChannel) -> None:
        """Wire the surface; nothing listens yet."""
        self.profile = profile
        self._settings = profile.settings
        self._shared = shared
        self._hub = Hub(profile.logs)
        self._loop_watch = LoopWatch()
        self._eraser = build_eraser(profile, shared, self._hub)
        self._jobs = ServerJobs(profile, build_mailer(self._settings), self._announce)
        self._api = build_api(profile, shared, self._hub, self._eraser, self._jobs.queue)
        app = create_app(self._api)
        logged = app if self._settings.access_log == OFF else AccessLog(app, self._settings.access_log)
        self._server = _client_server(self._settings, logged)
        self._node_server = _node_server(self._settings, profile)

    async def start(self) -> asyncio.Task[None]:
        """Start what works in the background, then listen; return the task that serves clients."""
        loop = asyncio.get_running_loop()
        self.profile.bind(loop)
        self._hub.start(loop)
        self._loop_watch.start()
        await start_limits(self._api.limits)
        await self._api.metrics.start()
        self.profile.start()
        self._eraser.start()
        self._serving = loop.create_task(self._server.serve())
        self._serving_nodes = (
            None if self._node_server is None else loop.create_task(self._node_server.serve())
        )
        self._announce(None)
        self._jobs.start()
        logger.info("serving", url=self._settings.url, data=str(self._settings.data))
        return self._serving

    def _announce(self, queue_url: str | None) -> None:
        certificate = self._settings.gateway.tls_cert_file
        self.profile.directory.announce(self._settings.url, self._shared.url, certificate, queue_url)

    async def stop(self) -> None:
        """End the live streams, then the servers, which wait for every open response, then the rest."""
        await self._loop_watch.stop()
        await self._jobs.stop()
        self._hub.drain()
        await self._hub.drained(_DRAIN_SECONDS)
        if not await _stopped(self._server, self._serving):
            logger.warning("some connections did not end in time")
            self._serving.cancel()
        if self._node_server is not None and self._serving_nodes is not None:
            await _stopped(self._node_server, self._serving_nodes)
        await self._api.metrics.stop()
        await self._api.limits.aclose()
        if isinstance(self.profile, Node):
            await self.profile.disconnect()
        await self._api.identity.close()
        await asyncio.to_thread(self._eraser.close)


async def _serve(
    profile: Profile, shared: CacheAndChannel, started: Started | None, announce: Callable[[], None] | None
) -> None:
    """Serve until a signal arrives, the server ends by itself or is refused; then raise what ended it."""
    loop, served = asyncio.get_running_loop(), ServedProfile(profile, shared)
    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    serving = await served.start()
    if announce is not None:
        announce()
    background = None if started is None else loop.run_in_executor(None, started, served.profile)
    stopping = loop.create_task(signalled.wait())
    refused = served.profile.refused
    waits: set[asyncio.Future[Any]] = {serving, stopping, *([] if refused is None else [refused])}
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    await served.stop()
    stopping.cancel()
    if background is not None:
        background.cancel()
    for ended in (refused, serving):
        if ended is not None and ended.done() and not ended.cancelled():
            ended.result()


async def _stopped(server: Server, serving: asyncio.Task[None]) -> bool:
    """Stop *server* and return whether it ended in time."""
    server.stop()  # type: ignore[no-untyped-call] # granian
    ended, _ = await asyncio.wait({serving}, timeout=_STOP_SECONDS)
    return bool(ended)


def _client_server(settings: Settings, app: Callable[..., object]) -> Server:
    """Return the server of the HTTP surface."""
    return Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS, keep_alive=True),
        log_enabled=False,
        log_dictconfig=standard_logging(settings.log_level),
        backlog=1024,
        ssl_cert=settings.gateway.tls_cert_file,
        ssl_key=settings.gateway.tls_key_file,
        ssl_protocol_min=SSLProtocols.tls13,
    )


def _node_server(settings: Settings, profile: Profile) -> Server | None:
    """Return the server that other nodes hand commands to, None where there is none."""
    listener = settings.node_listener()
    if not isinstance(profile, Node) or listener is None:
        return None
    host, port = listener
    tls = settings.node_tls
    return Server(
        profile.listener,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
        log_dictconfig=standard_logging(settings.log_level),
        backlog=256,
        ssl_cert=None if tls is None else tls.certificate,
        ssl_key=None if tls is None else tls.key,
        ssl_protocol_min=SSLProtocols.tls13,
    )
