"""How a process of the cluster profile asks each of its servers whether it answers."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pymongo

from codepark.redis_clients import connect as connect_redis
from codepark.server_watch import Ask, ServerWatch
from codepark.settings import ClusterSettings
from commands.kafka.probe import KafkaProbe
from projections.mongodb.connection import connect as connect_mongodb

KAFKA, MONGODB, REDIS = "Kafka", "MongoDB", "Redis"
NEEDED = (KAFKA, MONGODB)
"""The servers without which a node is not ready; without Redis it serves everything, and says so."""
_SECONDS = 2.0


class ClusterServers:
    """Connections for questions alone: the ones that work is done over may wait longer."""

    def __init__(self, settings: ClusterSettings) -> None:
        """Prepare to ask the servers of *settings*; nothing is connected yet."""
        self._opened = ExitStack()
        kafka = KafkaProbe(settings.kafka)
        self._opened.callback(kafka.close)
        ca_file = None if settings.mongodb_ca_file is None else Path(settings.mongodb_ca_file)
        mongodb = connect_mongodb(settings.mongodb_uri, tls_ca_file=ca_file, pool=(0, 2))
        self._opened.callback(mongodb.close)
        urls = settings.redis
        clients = [
            connect_redis(url, settings.redis_ca_file, seconds=_SECONDS)
            for url in dict.fromkeys((urls.pubsub, urls.cache, urls.sessions))
        ]
        for client in clients:
            self._opened.callback(client.close)

        def ask_mongodb() -> None:
            with pymongo.timeout(_SECONDS):
                mongodb.admin.command("ping")

        def ask_redis() -> None:
            for client in clients:
                client.ping()

        self._questions: dict[str, Ask] = {
            KAFKA: partial(_ignored, kafka.ask),
            MONGODB: ask_mongodb,
            REDIS: ask_redis,
        }

    def watch(self) -> ServerWatch:
        """Return what watches the servers."""
        return ServerWatch(self._questions)

    def reasons(self) -> dict[str, str | None]:
        """Ask each server now; return why it does not answer, None where it does."""
        return {name: _reason(ask) for name, ask in self._questions.items()}

    def close(self) -> None:
        """Close the connections."""
        self._opened.close()


def away(watch: ServerWatch) -> list[str]:
    """Return the servers that do not answer."""
    return [name for name, answers in watch.answering().items() if not answers]


def _ignored(ask: Callable[[], object]) -> None:
    ask()


def _reason(ask: Ask) -> str | None:
    try:
        ask()
    except Exception as error:  # noqa: BLE001 # whatever it is, there was no answer
        return str(error) or type(error).__name__
    return None
