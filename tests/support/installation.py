"""An installation of the cluster profile: nodes and workers as processes over servers that run already."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx
from redis import Redis

from commands.nodes.preference import preferred
from commands.secrets import Secrets
from domain.actor import SERVICE, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens
from tests.support.program import STOP_SECONDS, CodeParkProgram
from tests.support.server import UNLIMITED, eventually, free_port
from tests.support.time_scale import stretched

SECRET = base64.b64encode(bytes(range(32))).decode()
ANSWER_SECONDS = 20.0
NOT_STARTED = ("not ready: log", "not ready: read models", "not ready: Kafka", "not ready: MongoDB")


class Node(CodeParkProgram):
    """`codepark serve` of the cluster profile; other nodes reach it at *address*, None where they do not."""

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
        super().__init__(name, ["serve"], {**environment, **own}, folder / f"{name}.log")

    def client(self, timeout: float = ANSWER_SECONDS) -> httpx.Client:
        """Return a client that acts as the service."""
        headers = {"Authorization": f"Bearer {service_token()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=stretched(timeout))

    def start_again(self) -> None:
        """Start after an end, without workers: wait until the node has read the log."""
        self.launch()
        self.wait_until(self._takes_commands)

    def _takes_commands(self) -> bool:
        try:
            with self.client(5) as client:
                answer = client.get("/health/ready")
        except httpx.TransportError:
            return False
        return answer.is_success or not answer.json()["detail"].startswith(NOT_STARTED)

    def answers(self) -> bool:
        """Return whether the node has read the log, and the read models include it."""
        return self.health("ready") == httpx.codes.OK

    def wait_live(self) -> None:
        """Wait until the process answers anything."""
        self.wait_until(lambda: self.health("live") == httpx.codes.OK)

    def health(self, which: str) -> int | None:
        """Return the status of one of the health checks, None without an answer."""
        try:
            return httpx.get(f"{self.url}/health/{which}", timeout=stretched(5)).status_code
        except httpx.TransportError:
            return None


class Installation:
    """Nodes and workers over *kafka*, *mongodb_uri* and *redis_url*; their data and output lie in *folder*.

    A context that ends what it started: in order where the test passed, at once where it failed.
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
        self.workers: list[CodeParkProgram] = []

    def node(self, *, with_address: bool = True) -> Node:
        """Return a further node, which does not run yet."""
        name = f"node-{len(self.nodes) + 1}"
        node = Node(name, self.environment, self.folder, with_address=with_address)
        self.nodes.append(node)
        return node

    def start_nodes(self, count: int, *, with_address: bool = True) -> list[Node]:
        """Start so many nodes together, and wait until all are ready and know of each other."""
        nodes = [self.node(with_address=with_address) for _ in range(count)]
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait_ready()
        if with_address:
            self.wait_known(nodes)
        return nodes

    def start_worker(self, kind: str = "projections") -> CodeParkProgram:
        """Start a further worker."""
        name = f"{kind}-{len(self.workers) + 1}"
        settings = {**self.environment, "CODEPARK_DATA": str(self.folder / name)}
        worker = CodeParkProgram(name, ["worker", kind], settings, self.folder / f"{name}.log")
        self.workers.append(worker)
        worker.launch()
        return worker

    def preferred_node(self) -> Node:
        """Return the node that the others send their commands to."""
        addresses = [node.address for node in self.nodes if node.running and node.address is not None]
        chosen = preferred(addresses, 0)
        return next(node for node in self.nodes if node.address == chosen)

    def others(self) -> list[Node]:
        """Return the running nodes but the preferred one."""
        first = self.preferred_node()
        return [node for node in self.nodes if node is not first and node.running]

    def wait_known(self, nodes: Sequence[Node]) -> None:
        """Wait until each of *nodes* has sent a heartbeat, and has read those of the others after it."""
        key = f"{self.prefix}nodes.2"
        with Redis.from_url(self.redis_url) as client:

            def beats() -> dict[bytes, int]:
                return {name: int(value.split()[0]) for name, value in client.hgetall(key).items()}

            addresses = {(node.address or "").encode() for node in nodes}
            eventually(lambda: addresses <= beats().keys())
            before = beats()
            eventually(lambda: all(beats()[name] > before[name] + 1_500 for name in addresses))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        running = [program for program in (*self.nodes, *self.workers) if program.running]
        if kind is not None:
            for program in running:
                program.kill()
            return
        for program in running:
            program.terminate()
        try:
            codes = {program.name: program.ended(3 * STOP_SECONDS) for program in running}
        finally:
            for program in running:
                program.kill()
        assert codes == dict.fromkeys(codes, 0), {each.name: each.last_words() for each in running}


def service_token() -> str:
    """Return an access token of the principal that may do everything."""
    tokens = Tokens(SigningKeys(Secrets.from_base64(SECRET)))
    return tokens.issue_access(SERVICE.id, SERVICE.roles, tier=Tier.ENTERPRISE, seconds=3_600, operator=True)
