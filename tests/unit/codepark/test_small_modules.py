"""Ports, clients, limiters, logging and the interpreter: what each process sets up."""

import asyncio
import gc
import io
import json
import socket
import sys

import pytest
import structlog

from codepark import interpreter, logs
from codepark.interpreter import prepare_interpreter
from codepark.limiter_choice import build_limits, start_limits
from codepark.port import require_free
from codepark.redis_clients import connect, connect_async
from codepark.settings import RedisUrls, Settings
from commands.environment import SettingsError
from read_api.gateway.limits.fallback import GuardedLimiter
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.gateway.settings import GatewaySettings
from tests.support.server import free_port

URL = "redis://127.0.0.1:1/0"
REDIS = RedisUrls(cache=URL, sessions=URL, queue=URL, pubsub=URL)


class TestPort:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
    def test_a_free_port_is_taken_by_nobody(self, host):
        port = free_port()
        require_free(host, port)
        require_free(host, port)

    def test_a_port_that_a_server_listens_on(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with pytest.raises(SettingsError, match=rf"cannot listen on 127.0.0.1:{port} \(.*in use"):
                require_free("127.0.0.1", port)

    def test_an_address_that_is_not_of_this_machine(self):
        with pytest.raises(SettingsError, match=r"cannot listen on 192.0.2.1"):
            require_free("192.0.2.1", free_port())

    def test_a_port_that_was_just_used_is_free(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)):
                server.accept()[0].close()
        require_free("127.0.0.1", port)


class TestRedisClients:
    def test_a_client_waits_so_long(self):
        options = connect(URL, seconds=7.0).get_connection_kwargs()
        assert (options["socket_timeout"], options["socket_connect_timeout"]) == (7.0, 1.0)

    def test_the_authority_is_for_tls_alone(self):
        assert "ssl_ca_certs" not in connect(URL, "/ca.pem").get_connection_kwargs()
        tls = connect("rediss://127.0.0.1:1/", "/ca.pem").get_connection_kwargs()
        assert tls["ssl_ca_certs"] == "/ca.pem"
        assert "ssl_ca_certs" not in connect("rediss://127.0.0.1:1/").get_connection_kwargs()

    def test_a_client_of_the_loop(self):
        async def run():
            client = connect_async("rediss://127.0.0.1:1/", "/ca.pem", seconds=0.5)
            options = client.connection_pool.connection_kwargs
            assert (options["ssl_ca_certs"], options["socket_timeout"]) == ("/ca.pem", 0.5)
            await client.aclose()

        asyncio.run(run())


class TestLimiter:
    def test_a_process_that_serves_alone_counts_in_memory(self, tmp_path):
        assert isinstance(build_limits(Settings(data=tmp_path)).limiter, MemoryLimiter)

    def test_processes_that_share_a_redis_count_there(self, tmp_path):
        limits = build_limits(Settings(data=tmp_path, redis=REDIS))
        assert isinstance(limits.limiter, GuardedLimiter)
        asyncio.run(self._started(limits))
        assert limits.limiter.unavailable, "Redis does not answer: the server starts, and counts alone"

    @staticmethod
    async def _started(limits):
        await start_limits(limits)
        await limits.aclose()

    def test_a_limiter_in_memory_needs_no_start(self, tmp_path):
        asyncio.run(start_limits(build_limits(Settings(data=tmp_path))))

    def test_the_switches_reach_the_limits(self, tmp_path, capfd):
        gateway = GatewaySettings(rate_limits=False, sign_in_limits=False)
        limits = build_limits(Settings(data=tmp_path, gateway=gateway))
        assert (limits._tiers, limits._sign_in) == (False, False)
        assert "sign-ins are not limited" in "".join(capfd.readouterr())


class Stream(io.StringIO):
    """Standard error, a terminal or not."""

    def __init__(self, *, terminal=False):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class TestLogs:
    @pytest.fixture
    def logging(self, monkeypatch):
        """Log from a level on, to a stream."""

        def configure(level, stream):
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stderr", stream)
                logs.configure(level)
            return structlog.get_logger()

        yield configure
        structlog.reset_defaults()

    def test_lines_of_json_from_the_level_on(self, logging):
        stream = Stream()
        logger = logging("warning", stream)
        logger.info("not shown")
        logger.warning("shown", port=1)
        (line,) = stream.getvalue().splitlines()
        shown = json.loads(line)
        assert (shown["event"], shown["level"], shown["port"]) == ("shown", "warning", 1)
        assert shown["timestamp"].endswith("Z")

    def test_an_exception_is_one_line(self, logging):
        stream = Stream()
        logging("debug", stream).error("failed", exc_info=LookupError("gone"))
        (line,) = stream.getvalue().splitlines()
        assert "LookupError: gone" in json.loads(line)["exception"]

    def test_a_terminal_gets_text(self, logging):
        stream = Stream(terminal=True)
        logging("info", stream).info("serving", port=1)
        assert "serving" in stream.getvalue()
        with pytest.raises(json.JSONDecodeError):
            json.loads(stream.getvalue())


def test_the_interpreter_switches_often_and_collects_seldom(monkeypatch):
    before, threshold, frozen = sys.getswitchinterval(), gc.get_threshold(), []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    try:
        prepare_interpreter()
        assert sys.getswitchinterval() == pytest.approx(interpreter._SWITCH_SECONDS)
        assert gc.get_threshold() == interpreter._COLLECT_AFTER
        assert frozen == [True]
    finally:
        sys.setswitchinterval(before)
        gc.set_threshold(*threshold)
