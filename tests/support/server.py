"""A real server in a process of its own, and clients of it."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from commands.partitioner import partition_of
from devservers.ports import Ports
from tests.support.program import STOP_SECONDS, CodeParkProgram
from tests.support.time_scale import stretched

__all__ = ["STOP_SECONDS", "UNLIMITED", "Raw", "Server", "eventually", "free_port", "serving"]

T = TypeVar("T")

# A test of something else may send as many requests as it likes; limits have tests of their own.
UNLIMITED = {
    "CODEPARK_RATE_LIMITS": "off",
    "CODEPARK_SIGN_IN_LIMITS": "off",
    "CODEPARK_QUOTAS": "off",
    "CODEPARK_PASSWORD_MEMORY": "19",  # the least: tests sign in thousands of times
    "CODEPARK_JOBS": "off",
}

# Each worker of the run has ports of its own, below those of development servers and benchmarks.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
free_port = Ports(range(10_000 + _WORKER, 15_000, _WORKERS)).free_port


def eventually(ask: Callable[[], T | None], *, seconds: float = 30.0) -> T:
    """Ask until there is an answer; the pause between two questions is not what the test waits for."""
    deadline = time.monotonic() + stretched(seconds)
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"nothing within {stretched(seconds):.0f} s"
        time.sleep(0.01)


class Server(CodeParkProgram):
    """`codepark serve` over a data directory, in the embedded profile; it may be stopped and restarted."""

    partitions = 1

    def __init__(self, data: Path, port: int | None = None, more: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"CODEPARK_DATA": str(data), "CODEPARK_PORT": str(self.port)}
        settings = {**UNLIMITED, **own, **(more or {})}
        super().__init__("codepark serve", ["serve"], settings, data.with_suffix(".log"))

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def partition_of(self, home: str) -> int:
        return partition_of(home, self.partitions)

    def secret_key(self) -> str:
        """Return the installation's secret, base64."""
        return (self.data / "secret.key").read_text()

    def command(self, *arguments: str) -> str:
        """Return what `codepark` prints, with the settings of this server."""
        command = [sys.executable, "-m", "codepark.cli", *arguments]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True, check=True).stdout

    def token(self, *options: str) -> str:
        """Return what `codepark token` prints."""
        return self.command("token", *options).splitlines()[-1]

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=stretched(20.0))

    def raw(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> "Raw":
        """Send a request byte for byte: a client library would normalise it."""
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
    """The answer to a raw request."""

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
