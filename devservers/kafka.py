"""A real Apache Kafka broker (KRaft), with or without TLS; and three of them for tests of faults."""

import asyncio
import base64
import contextlib
import secrets
import signal
import socket
import subprocess
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from devservers import class_archive
from devservers.certificates import Certificates
from devservers.errors import ServerError
from devservers.jars import jars, java
from devservers.server import Server

USER = "codepark"
MESSAGE_BYTES = 16 * 1024 * 1024
_LOG_SETTINGS = Path(__file__).with_name("kafka-log4j2.yaml")
_FORMAT_SECONDS = 120.0
_OFFSETS_PARTITIONS = 8
_LITTLE_WORK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_ENDED_IN_ORDER = (0, 128 + signal.SIGTERM)
_QUORUM = 3
_PROTOCOLS = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL"


def _identifier() -> str:
    """Return an id as Kafka writes them: 16 random bytes in base64, which may not begin with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class Kafka(Server):
    """One broker that is its own controller.

    With *tls* it has two more listeners: `ssl_address`, and `sasl_ssl_address`, where the user `codepark`
    signs in with *password* by PLAIN or SCRAM-SHA-512.
    """

    kind = "kafka"
    client = "aiokafka"
    ready_seconds: ClassVar[float] = 90.0
    stop_seconds: ClassVar[float] = 30.0

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        attached: bool = True,
        tls: Certificates | None = None,
        password: str | None = None,
        node: int = 1,
        short_lived: bool = False,
    ) -> None:
        """Take the ports; without *password* a new one is made.

        A *short_lived* broker starts with less work, and would be slower after some minutes.
        """
        super().__init__(folder, port=port, attached=attached)
        self.tls = tls
        self.password = password or secrets.token_urlsafe(12)
        self.node = node
        self._short_lived = short_lived
        self._quorum: Sequence[Kafka] = (self,)
        self.cluster_id, self.directory_id = _identifier(), _identifier()

    @cached_property
    def controller_port(self) -> int:
        """The port of the controllers' listener."""
        return self.take_port("controller")

    @property
    def address(self) -> str:
        """The bootstrap servers, without TLS and without a password."""
        return f"127.0.0.1:{self.port}"

    @property
    def ssl_address(self) -> str:
        """The bootstrap servers for TLS."""
        return f"127.0.0.1:{self._tls_ports[0]}"

    @property
    def sasl_ssl_address(self) -> str:
        """The bootstrap servers for TLS with a user and a password."""
        return f"127.0.0.1:{self._tls_ports[1]}"

    @cached_property
    def _tls_ports(self) -> tuple[int, int]:
        return self.take_port("ssl"), self.take_port("sasl")

    def join(self, brokers: "Sequence[Kafka]") -> None:
        """Become one of *brokers*; call it before the first start."""
        self._quorum = tuple(brokers)
        self.cluster_id = brokers[0].cluster_id

    def answers(self) -> bool:
        """Return whether the broker lists itself as a broker: then it takes records."""
        if not _listens(self.port):
            return False
        with ThreadPoolExecutor(1) as thread:  # the caller's thread may run a loop of its own
            return self.node in thread.submit(lambda: asyncio.run(_brokers(self.address))).result()

    def last_words(self) -> str:
        """Return the end of what the broker printed and logged."""
        logged = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return f"{super().last_words()}\n{logged[-2000:]}".strip()

    @property
    def _log(self) -> Path:
        return self.folder / "kafka.log"

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    def _prepare(self) -> None:
        text = "".join(f"{name}={value}\n" for name, value in self._properties().items())
        self._settings.touch(mode=0o600)  # the password is in it
        self._settings.write_text(text, encoding="utf-8")
        if not (self.folder / "data" / "meta.properties").exists():
            self._format()

    def _format(self) -> None:
        alone = len(self._quorum) == 1
        options = ["--standalone"] if alone else ["--initial-controllers", self._controllers()]
        if self.tls:
            options += ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={self.password}]"]
        command = [
            *self._java(*_LITTLE_WORK, "-Xmx256m"),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            self.cluster_id,
            "-c",
            str(self._settings),
            *options,
        ]
        formatted = subprocess.run(  # noqa: S603 # our own command
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FORMAT_SECONDS,
            check=False,
        )
        if formatted.returncode:
            printed = formatted.stdout + formatted.stderr
            raise ServerError(f"kafka could not format its folder: {printed[-2000:]}")

    def _controllers(self) -> str:
        return ",".join(
            f"{each.node}@127.0.0.1:{each.controller_port}:{each.directory_id}" for each in self._quorum
        )

    def _command(self) -> Sequence[str]:
        self._prepare()
        heap = ("-Xms256m", "-Xmx512m", *(_LITTLE_WORK if self._short_lived else ("-XX:+UseG1GC",)))
        classes = class_archive.options(self._classes if self._short_lived else None)
        return [*self._java(*heap, *classes), "kafka.Kafka", str(self._settings)]

    def stop(self) -> int | None:
        """End the broker as its base does, and keep the archive of its classes for the next ones."""
        code = super().stop()
        if code in _ENDED_IN_ORDER:
            class_archive.keep(self._classes)
        return code

    @property
    def _classes(self) -> Path:
        return self.folder / "classes.jsa"

    def _java(self, *options: str) -> list[str]:
        return [
            java(),
            *options,
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={_LOG_SETTINGS}",
            f"-Dcodepark.log={self._log}",
            "-cp",
            f"{jars()}/*",
        ]

    def _properties(self) -> dict[str, object]:
        copies = len(self._quorum)
        enough = 2 if copies >= _QUORUM else 1
        listeners = {"PLAINTEXT": self.port, "CONTROLLER": self.controller_port}
        if self.tls:
            listeners |= dict(zip(("SSL", "SASL_SSL"), self._tls_ports, strict=True))
        addresses = {name: f"{name}://127.0.0.1:{port}" for name, port in listeners.items()}
        quorum = (f"127.0.0.1:{each.controller_port}" for each in self._quorum)
        return {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.bootstrap.servers": ",".join(quorum),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listeners": ",".join(addresses.values()),
            "advertised.listeners": ",".join(addresses.values()),
            "listener.security.protocol.map": _PROTOCOLS,
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "message.max.bytes": MESSAGE_BYTES,
            "replica.fetch.max.bytes": MESSAGE_BYTES,
            "default.replication.factor": copies,
            "min.insync.replicas": enough,
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": _OFFSETS_PARTITIONS,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": enough,
            "share.coordinator.state.topic.num.partitions": 1,
            # A broker that was killed may start again only after its last session has timed out.
            "broker.session.timeout.ms": 4_000 if copies == 1 else 9_000,
            "broker.heartbeat.interval.ms": 1_000,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1_000,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,  # the default is half of the heap
            "num.network.threads": 2,
            "num.io.threads": 4,
            # Without it a controller writes a record twice a second, so that a standby knows it is there.
            **({"metadata.max.idle.interval.ms": 0} if self._short_lived and copies == 1 else {}),
            **(self._security(self.tls) if self.tls else {}),
        }

    def _security(self, tls: Certificates) -> dict[str, object]:
        modules = "org.apache.kafka.common.security"
        listener = "listener.name.sasl_ssl"
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": tls.keystore,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": tls.authority,
            "ssl.client.auth": "requested",
            f"{listener}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            f"{listener}.plain.sasl.jaas.config": f"{modules}.plain.PlainLoginModule required "
            f'user_{USER}="{self.password}";',
            f"{listener}.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
        }


class ThreeBrokers:
    """Three brokers that keep each record on at least two; for tests that stop one."""

    def __init__(self, folder: Path, *, attached: bool = True) -> None:
        """Take the ports; nothing runs yet."""
        numbers = range(1, _QUORUM + 1)
        self.brokers = [
            Kafka(folder / f"broker-{number}", attached=attached, node=number, short_lived=True)
            for number in numbers
        ]
        for broker in self.brokers:
            broker.join(self.brokers)

    @property
    def address(self) -> str:
        """The bootstrap servers."""
        return ",".join(broker.address for broker in self.brokers)

    def start(self) -> "ThreeBrokers":
        """Start all, then wait for each."""
        try:
            for broker in self.brokers:
                broker.launch()
            for broker in self.brokers:
                broker.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End all of them together: one after the other, the last one would wait for a majority."""
        with ThreadPoolExecutor(_QUORUM) as threads:
            list(threads.map(Kafka.stop, self.brokers))

    def kill(self) -> None:
        """End all of them, without a chance to end in order."""
        for broker in self.brokers:
            broker.kill()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


async def _brokers(address: str) -> set[int]:
    """Return the numbers of the brokers that the one at *address* lists."""
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 # the cluster profile's
    from aiokafka.errors import KafkaError  # noqa: PLC0415 # as above

    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=3_000)
    try:
        await admin.start()
        described = await admin.describe_cluster()
        return {int(broker["node_id"]) for broker in described["brokers"]}
    except (KafkaError, OSError, TimeoutError):
        return set()
    finally:
        await admin.close()
