"""The workers of the cluster profile, wired: what they read, what they keep, who hears of it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from codepark import cache_and_channel
from codepark.interpreter import prepare_interpreter
from codepark.profiles.cluster import KEYS
from codepark.settings import Settings
from commands.environment import SettingsError
from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from commands.mongodb.keys import MongoKeyStore
from projections.models import READ_MODELS
from projections.mongodb.connection import connect, database_name, database_of
from projections.mongodb.store import MongoDocumentStore
from streams.faust.workers import run_insights, run_projections, run_public
from streams.public.pseudonyms import keyed_pseudonyms

_KEYS_REMEMBERED_SECONDS = (
    60.0  # a worker does not read every partition, and so does not hear of every erasure
)


class WorkerContext:
    """What every worker works with."""

    def __init__(self, settings: Settings) -> None:
        """Connect; raises SettingsError without the settings of a cluster."""
        if settings.kafka is None or settings.redis is None or settings.secret is None:
            raise SettingsError("a worker needs the cluster profile: set CODEPARK_KAFKA_BOOTSTRAP_SERVERS")
        ca_file = None if settings.mongodb_ca_file is None else Path(settings.mongodb_ca_file)
        self._client = connect(settings.mongodb_uri or "", tls_ca_file=ca_file)
        name = database_name(settings.mongodb_uri or "", settings.prefix)
        self.kafka = settings.kafka
        self.secret = settings.secret
        self.prefix = settings.prefix
        self.keys = MongoKeyStore(
            database_of(self._client, name)[KEYS], settings.kms(settings.secret), _KEYS_REMEMBERED_SECONDS
        )
        self.mapper = EventMapper(PersonalCipher(self.keys))
        self.store = MongoDocumentStore(self._client, name)
        self.redis: Any = cache_and_channel.connect(settings.redis.pubsub, settings.redis_ca_file)
        prepare_interpreter()

    def close(self) -> None:
        """Let everything go."""
        self.store.close()
        self.keys.close()
        self._client.close()
        self.redis.close()


def project(settings: Settings, metrics_port: int | None) -> None:
    """Keep the read models until SIGTERM or SIGINT."""
    with closing(WorkerContext(settings)) as shop:
        run_projections(
            shop.kafka,
            shop.store,
            shop.mapper,
            READ_MODELS,
            shop.redis,
            shop.prefix,
            metrics_port=metrics_port,
        )


def analyse(settings: Settings, metrics_port: int | None) -> None:
    """Keep the insights until SIGTERM or SIGINT."""
    with closing(WorkerContext(settings)) as shop:
        run_insights(shop.kafka, shop.store, shop.mapper, shop.redis, shop.prefix, metrics_port=metrics_port)


def publish(settings: Settings, metrics_port: int | None) -> None:
    """Publish the public topics until SIGTERM or SIGINT."""
    with closing(WorkerContext(settings)) as shop:
        run_public(
            shop.kafka,
            shop.store,
            shop.mapper,
            keyed_pseudonyms(shop.secret),
            shop.redis,
            shop.prefix,
            metrics_port=metrics_port,
        )
