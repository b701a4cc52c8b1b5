"""A real server in a process of its own, and clients of it."""

import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import httpx

from commands.partitioner import partition_of
from devservers.processes import is_free
from tests.support.time_scale import stretched

T = TypeVar("T")

START_SECONDS = 30.0
STOP_SECONDS = 10.0
# What has other concerns asks as often as it likes; limits have tests of their own.
UNLIMITED = {"CODEPARK_RATE_LIMITS": "off", "CODEPARK_SIGN_IN_LIMITS": "off"}


def _ports() -> Iterator[int]:
    """Give the ports of this worker of the run, one after the other.

    They lie below those that `cluster` draws and those that the kernel gives away, so that nobody else takes one between
    its choice and its use, or while its server starts again.
    """
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = range(10_000 + own, 15_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    start = random.randrange(len(ports))  # another run on this machine begins elsewhere
    return cycle((*ports[start:], *ports[:start]))


_own_ports = _ports()


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody is given for long."""
    return next(port for port in _own_ports if is_free(port))


def eventually(ask: Callable[[], T | None], *, seconds: float = 30.0) -> T:
    """Ask until there is an answer; the pause between two questions is not what the test waits for."""
    deadline = time.monotonic() + stretched(seconds)
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < deadline, f"nothing within {stretched(seconds):.0f} s"
        time.sleep(0.01)


class Server:
    """`codepark serve` over a data directory; may be stopped and started again."""

    partitions = 1

    def __init__(self, data: Path, port: int | None = None, more: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._more = dict(more or {})
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data.with_suffix(".log")

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
        own = {"CODEPARK_DATA": str(self.data), "CODEPARK_PORT": str(self.port)}
        return {**kept, **UNLIMITED, **own, **self._more}

    def start(self) -> "Server":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "codepark.cli", "serve"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(self._ready, seconds=START_SECONDS)
        return self

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def partition_of(self, home: str) -> int:
        return partition_of(home, self.partitions)

    def terminate(self) -> None:
        """Ask the process to end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)  # of no effect where it has ended

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """End the process and return its exit code."""
        assert self._process is not None
        self.terminate()
        try:
            return self._process.wait(stretched(seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End the process as the kernel does when memory runs out: it gets no chance to say goodbye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(stretched(STOP_SECONDS))

    def secret_key(self) -> str:
        """Return the installation's secret, base64."""
        return (self.data / "secret.key").read_text()

    def log_text(self) -> str:
        """Return all that the server has said."""
        return self._log.read_text()

    def command(self, *arguments: str) -> str:
        """Return what `codepark` prints, with the settings of this server."""
        done = subprocess.run(
            [sys.executable, "-m", "codepark.cli", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def token(self, *options: str) -> str:
        """Return what `codepark token` prints."""
        return self.command("token", *options).splitlines()[-1]

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=stretched(20.0))

    def raw(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> "Raw":
        """Send a request as it is: nothing is normalised on the way."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=stretched(20))
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Raw(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


class Raw:
    """What came back for a raw request."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status_code = status
        self.headers = httpx.Headers(headers)
        self.content = body

    def json(self) -> Any:
        return httpx.Response(self.status_code, content=self.content).json()


@contextmanager
def serving(data: Path, more: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve *data*, with *more* settings; the server must end in order."""
    server = Server(data, more=more).start()
    try:
        yield server
    finally:
        assert server.stop() == 0
