"""The servers of this package, for tests and benchmarks.

>>> with Kafka(folder) as kafka:  # doctest: +SKIP
...     connect(kafka.address)
"""

from pathlib import Path

from devservers.certificates import Certificates, make_certificates
from devservers.errors import MissingError, ServerError
from devservers.kafka import Kafka, ThreeBrokers
from devservers.mongo import Mongo
from devservers.ports import free_port
from devservers.processes import Identity
from devservers.server import Server
from devservers.valkey import ValkeyServer

__all__ = [
    "KINDS",
    "Certificates",
    "Identity",
    "Kafka",
    "MissingError",
    "Mongo",
    "Server",
    "ServerError",
    "ThreeBrokers",
    "ValkeyServer",
    "free_port",
    "make",
    "make_certificates",
]

KINDS: dict[str, type[Kafka] | type[Mongo] | type[ValkeyServer]] = {
    server.kind: server for server in (Kafka, Mongo, ValkeyServer)
}


def make(kind: str, folder: Path, *, attached: bool, port: int | None = None) -> Server:
    """Return a server of *kind* over *folder*; it does not run yet."""
    return KINDS[kind](folder, attached=attached, port=port)
