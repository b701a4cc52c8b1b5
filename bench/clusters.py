"""The cluster profile: real servers, started when first needed, and CodePark's processes over them."""

import base64
import contextlib
import os
import secrets
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from bench.book import OURS, Book
from bench.codepark_server import CodePark, installed_program
from bench.plan import Plan
from bench.processes import Server, start
from bench.session import Say, Session
from commands.kafka.settings import KafkaSettings
from devservers import jars
from devservers.ports import free_port
from devservers.servers import Kafka, Mongo, ValkeyServer

_METRICS_SECONDS = 5.0


class Servers:
    """Kafka, a server with MongoDB's protocol, and a Valkey: one of each for the whole run."""

    def __init__(self, folder: Path, book: Book) -> None:
        self._folder = folder
        self._book = book
        self._stack = contextlib.ExitStack()

    @cached_property
    def kafka(self) -> Kafka:
        """The broker; raises MissingError where Kafka cannot be run."""
        broker = self._stack.enter_context(Kafka(self._folder / "kafka"))
        self._book.servers["kafka"] = f"{jars.version()}, one broker, acks=all"
        return broker

    @cached_property
    def mongo(self) -> Mongo:
        """The server with MongoDB's protocol; raises MissingError."""
        server = self._stack.enter_context(Mongo(self._folder / "mongo", durable=True))
        self._book.servers["mongodb"] = mongo_name(server.address, os.environ.get("CODEPARK_SECANTUSD"))
        return server

    @cached_property
    def valkey(self) -> ValkeyServer:
        """The Valkey; raises MissingError."""
        server = self._stack.enter_context(ValkeyServer(self._folder / "valkey"))
        self._book.servers["redis"] = valkey_name(server.address)
        return server

    def settings(self, prefix: str) -> KafkaSettings:
        """Return the settings for topics that begin with *prefix*."""
        return KafkaSettings(bootstrap_servers=self.kafka.address, prefix=prefix)

    def close(self) -> None:
        """Stop the servers that were started."""
        self._stack.close()


class Installation:
    """An installation with topics, a database and a secret of its own; `close` ends its processes."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.prefix = f"bench-{uuid.uuid4().hex[:8]}."
        self.settings = servers.settings(self.prefix)
        self.folder = folder
        self._stack = contextlib.ExitStack()
        self.secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.env = {
            "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": servers.kafka.address,
            "CODEPARK_MONGODB_URI": servers.mongo.address,
            "CODEPARK_REDIS_URL": servers.valkey.address,
            "CODEPARK_TOPIC_PREFIX": self.prefix,
            "CODEPARK_SECRET_KEY": self.secret,
        }

    def codepark(self, number: int = 0, *, address: str | None = None) -> CodePark:
        """Return the node *number*; other nodes forward commands to its *address*, where it has one."""
        folder = self.folder / f"node-{number}"
        folder.mkdir(exist_ok=True)
        return CodePark(folder, self.env | ({} if address is None else {"CODEPARK_NODE_ADDRESS": address}))

    def node(self, number: int = 0, *, address: str | None = None) -> Server:
        """Start the node *number*."""
        server, _ = self.codepark(number, address=address).serve()
        self._stack.callback(server.stop)
        return server

    def worker(self, name: str = "projections") -> Server:
        """Start a worker; its port serves its metrics."""
        port = free_port()
        command = [*installed_program(), "worker", name, "--metrics-port", str(port)]
        server, _ = start(
            f"worker-{name}", command, port, folder=self.folder, env=self.env, ready=shows_metrics
        )
        self._stack.callback(server.stop)
        return server

    def session(self, book: Book, plan: Plan, say: Say) -> Session:
        """Start node 0; return it as a contestant, with an administrator's token."""
        node = self.codepark()
        server, _ = node.serve()
        session = Session(OURS, server, node.token(), book, plan, say, node.serve)
        self._stack.callback(session.stop)
        return session

    def close(self) -> None:
        """End its processes."""
        self._stack.close()


@contextlib.contextmanager
def installed(servers: Servers, folder: Path) -> Iterator[Installation]:
    """Give a new installation; end its processes afterwards."""
    installation = Installation(servers, folder)
    try:
        yield installation
    finally:
        installation.close()


def shows_metrics(port: int) -> bool:
    """Return whether a worker serves its metrics on *port*."""
    return metrics(port) is not None


def metrics(port: int) -> Mapping[str, float] | None:
    """Return a worker's metrics by name with labels, None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_METRICS_SECONDS) as answer:
            return parsed(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


def parsed(text: str) -> dict[str, float]:
    """Parse Prometheus' text format: return the value of each name with its labels."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def total(values: Mapping[str, float], name: str) -> float:
    """Return the sum of a metric over its labels."""
    return sum(value for key, value in values.items() if key.partition("{")[0] == name)


def mongo_name(address: str, named: str | None) -> str:
    """Return the name and version of the server: figures of one server do not hold for another."""
    from pymongo import MongoClient  # noqa: PLC0415 # the cluster profile's

    with MongoClient[dict[str, object]](address) as client:
        version = client.server_info().get("version")
    return f"{Path(named).name if named else 'secantusd-py'} (speaks MongoDB {version}), waits for the disk"


def valkey_name(address: str) -> str:
    """Return the name and version of the Valkey."""
    import redis  # noqa: PLC0415 # the cluster profile's

    with redis.Redis.from_url(address) as client:
        facts = client.info("server")
    return f"Valkey {facts.get('valkey_version') or facts.get('redis_version')}"
