"""An installation of the cluster profile: nodes and workers as processes over servers that run already."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx
from redis import Redis

from commands.nodes.preference import preferred
from commands.secrets import Secrets
from devservers.processes import Identity, reaped, spawn
from domain.actor import SERVICE, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens
from tests.support.server import STOP_SECONDS, UNLIMITED, eventually, free_port
from tests.support.time_scale import stretched

SECRET = base64.b64encode(bytes(range(32))).decode()
START_SECONDS = 60.0
ANSWER_SECONDS = 20.0
AWAY = ("not ready: log", "not ready: read models")


class Program:
    """One process of an installation; what it prints is appended to a file."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        assert self._identity is not None, f"{self.name} was not started"
        return self._identity

    @property
    def running(self) -> bool:
        return self._identity is not None and self._identity.alive()

    @property
    def printed(self) -> str:
        return self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""

    def launch(self) -> None:
        """Start the process, and wait for nothing."""
        kept = [f"--unset={name}" for name in os.environ if name.startswith("CODEPARK_")]
        given = [f"{name}={value}" for name, value in self.environment.items()]
        command = ["env", *kept, *given, sys.executable, "-m", "codepark.cli", *self.command]
        self._child = spawn(command, output=self.log, attached=True)
        self._identity = reaped(self._child)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.identity.signal(signal.SIGTERM)
        self.identity.signal(signal.SIGCONT)  # a stopped process hears of it only when it goes on

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until the process has ended, and return its exit code."""
        assert self._child is not None
        child = self._child
        eventually(lambda: child.returncode is not None, seconds=seconds)
        return child.returncode

    def stop(self, seconds: float = 2 * STOP_SECONDS) -> int:
        """End the process in order, and return its exit code."""
        self.terminate()
        return self.ended(seconds)

    def kill(self) -> None:
        """End the process as the kernel does when memory runs out."""
        self.identity.signal(signal.SIGKILL)
        eventually(lambda: not self.running)

    def pause(self) -> None:
        """Stop the clock for the process: its connections stay open, and nothing answers."""
        self.identity.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        self.identity.signal(signal.SIGCONT)


class Node(Program):
    """`codepark serve` of the cluster profile. *address* is where other nodes reach it, None where they do not."""

    def __init__(
        self, name: str, environment: Mapping[str, str], folder: Path, *, with_address: bool
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.address = f"127.0.0.1:{free_port()}" if with_address else None
        self.data = folder / name
        own = {"CODEPARK_PORT": str(self.port), "CODEPARK_DATA": str(self.data)}
        if self.address is not None:
            own["CODEPARK_NODE_ADDRESS"] = self.address
        super().__init__(name, ["serve"], {**environment, **own}, folder)

    def client(self, timeout: float = ANSWER_SECONDS) -> httpx.Client:
        """Return a client that acts as the service."""
        headers = {"Authorization": f"Bearer {service_token()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=stretched(timeout))

    def start(self) -> "Node":
        """Start, and wait until the node is ready."""
        self.launch()
        self.wait_ready()
        return self

    def start_again(self) -> None:
        """Start after an end, without workers: wait until the node has read the log."""
        self.launch()
        self._wait(self._takes_commands)

    def _takes_commands(self) -> bool:
        try:
            with self.client(5) as client:
                answer = client.get("/health/ready")
        except httpx.TransportError:
            return False
        return answer.is_success or answer.json()["detail"] not in AWAY

    def wait_live(self) -> None:
        """Wait until the process answers anything."""
        self._wait(lambda: self.health("live") == httpx.codes.OK)

    def wait_ready(self) -> None:
        """Wait until the node has read the log, and the read models have come there."""
        self._wait(lambda: self.health("ready") == httpx.codes.OK)

    def health(self, which: str) -> int | None:
        """Return the status of one of the health checks, None without an answer."""
        try:
            return httpx.get(f"{self.url}/health/{which}", timeout=stretched(5)).status_code
        except httpx.TransportError:
            return None

    def _wait(self, condition: Callable[[], bool]) -> None:
        def held() -> bool:
            assert self.running, f"{self.name} ended: {self.printed[-3000:]}"
            return condition()

        try:
            eventually(held, seconds=START_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.name} printed: {self.printed[-3000:]}") from error


class Installation:
    """Nodes and workers over *kafka*, *mongodb_uri* and *redis_url*; what they print and keep lies in *folder*.

    As a context it ends what runs in it: in order where the test went well, at once where it did not.
    """

    def __init__(
        self, folder: Path, *, kafka: str, mongodb_uri: str, redis_url: str, prefix: str, **more: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.redis_url = redis_url
        self.prefix = prefix
        self.environment = {
            **UNLIMITED,
            "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": kafka,
            "CODEPARK_MONGODB_URI": mongodb_uri,
            "CODEPARK_REDIS_URL": redis_url,
            "CODEPARK_TOPIC_PREFIX": prefix,
            "CODEPARK_SECRET_KEY": SECRET,
            **more,
        }
        self.nodes: list[Node] = []
        self.workers: list[Program] = []

    def node(self, *, with_address: bool = True) -> Node:
        """Return a further node, which does not run yet."""
        name = f"node-{len(self.nodes) + 1}"
        made = Node(name, self.environment, self.folder, with_address=with_address)
        self.nodes.append(made)
        return made

    def start_nodes(self, count: int, *, with_address: bool = True) -> list[Node]:
        """Start so many nodes together, and wait until all are ready and know of each other."""
        made = [self.node(with_address=with_address) for _ in range(count)]
        for each in made:
            each.launch()
        for each in made:
            each.wait_ready()
        if with_address:
            self.wait_known(made)
        return made

    def start_worker(self, kind: str = "projections") -> Program:
        """Start a further worker."""
        name = f"{kind}-{len(self.workers) + 1}"
        data = {"CODEPARK_DATA": str(self.folder / name)}
        made = Program(name, ["worker", kind], {**self.environment, **data}, self.folder)
        made.launch()
        self.workers.append(made)
        return made

    def preferred_node(self) -> Node:
        """Return the node that the others send their commands to."""
        addresses = [each.address for each in self.nodes if each.running and each.address is not None]
        chosen = preferred(addresses, 0)
        return next(each for each in self.nodes if each.address == chosen)

    def others(self) -> list[Node]:
        """Return the running nodes but the preferred one."""
        first = self.preferred_node()
        return [each for each in self.nodes if each is not first and each.running]

    def wait_known(self, nodes: Sequence[Node]) -> None:
        """Wait until each of *nodes* has said that it is alive, and has listened once more since."""
        key = f"{self.prefix}nodes"
        with Redis.from_url(self.redis_url) as client:

            def beats() -> dict[bytes, int]:
                return {name: int(value) for name, value in client.hgetall(key).items()}

            addresses = {(each.address or "").encode() for each in nodes}
            eventually(lambda: addresses <= beats().keys())
            before = beats()
            eventually(lambda: all(beats()[name] > before[name] + 1 for name in addresses))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        running = [each for each in (*self.nodes, *self.workers) if each.running]
        if kind is not None:
            for each in running:
                each.kill()
            return
        for each in running:
            each.terminate()
        try:
            codes = {each.name: each.ended(3 * STOP_SECONDS) for each in running}
        finally:
            for each in running:
                each.kill()
        assert codes == dict.fromkeys(codes, 0), {each.name: each.printed[-2000:] for each in running}


def service_token() -> str:
    """Return an access token of the principal that may do everything."""
    tokens = Tokens(SigningKeys(Secrets.from_base64(SECRET)))
    return tokens.issue_access(SERVICE.id, SERVICE.roles, tier=Tier.ENTERPRISE, seconds=3_600, operator=True)
