"""What every process of the cluster profile connects to: MongoDB, with the keys of people, and Redis."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from codepark.redis_clients import connect as connect_redis
from codepark.settings import ClusterSettings
from commands.keys import PersonalCipher
from commands.kms import Kms
from commands.mapper import EventMapper
from commands.mongodb.keys import MongoKeyStore
from projections.mongodb.connection import connect, database_name, database_of
from projections.mongodb.store import MongoDocumentStore

if TYPE_CHECKING:
    import redis

KEYS = "personal_keys"
"""The collection of the keys of people."""


class ClusterConnections:
    """The key store, the mapper of events, the read models, and the Redis of messages between processes.

    Nothing waits for a server: what needs one that does not answer raises its own error.
    """

    def __init__(self, settings: ClusterSettings, kms: Kms, *, remembered_seconds: float = math.inf) -> None:
        """Connect; a key of a person is cached for at most *remembered_seconds*."""
        ca_file = None if settings.mongodb_ca_file is None else Path(settings.mongodb_ca_file)
        self.kms = kms
        self._mongo = connect(settings.mongodb_uri, tls_ca_file=ca_file)
        name = database_name(settings.mongodb_uri, settings.kafka.prefix)
        self.keys = MongoKeyStore(database_of(self._mongo, name)[KEYS], kms, remembered_seconds)
        self.mapper = EventMapper(PersonalCipher(self.keys))
        self.store = MongoDocumentStore(self._mongo, name)
        self.redis: redis.Redis = connect_redis(settings.redis.pubsub, settings.redis_ca_file)

    def close(self) -> None:
        """Close all of them."""
        self.store.close()
        self.keys.close()
        self._mongo.close()
        self.redis.close()
