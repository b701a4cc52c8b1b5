"""The log's topic: made with the settings that a source of truth needs, and checked at each start."""

import asyncio
from collections.abc import Mapping
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from commands.kafka.protocol.transport import BrokerAwayError
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError

MESSAGE_BYTES = 16 * 1024 * 1024
REPLICAS, IN_SYNC = 3, 2
LOG_CONFIG = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "unclean.leader.election.enable": "false",
    "message.timestamp.type": "LogAppendTime",
    "compression.type": "producer",
    "max.message.bytes": str(MESSAGE_BYTES),
}
"""Set on the topic itself: what a topic inherits from its broker may change under it."""
_REQUEST_MS = 10_000
_LOOKS, _LOOK_SECONDS = 50, 0.1


class Topics:
    """An admin client for as long as it is needed: `async with Topics(settings) as topics`."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connect to the Kafka of *settings* when entered."""
        self._settings = settings
        self._admin = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=_REQUEST_MS)

    async def __aenter__(self) -> Self:
        """Connect; raises BrokerAwayError."""
        try:
            await self._admin.start()
        except (KafkaError, OSError) as error:
            raise BrokerAwayError(f"Kafka does not answer: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._admin.close()

    async def ensure(self, name: str, partitions: int, config: Mapping[str, str]) -> bool:
        """Make the topic unless it is there; tell whether it was made. Raises BrokerAwayError."""
        try:
            brokers = len((await self._admin.describe_cluster())["brokers"])
            replicas = min(REPLICAS, brokers)
            settings = dict(config)
            if replicas == REPLICAS:
                settings["min.insync.replicas"] = str(IN_SYNC)
            topic = NewTopic(name, partitions, replicas, topic_configs=settings)
            answer: Any = await self._admin.create_topics([topic], timeout_ms=_REQUEST_MS)
        except TopicAlreadyExistsError:
            return False
        except (KafkaError, OSError) as error:
            raise BrokerAwayError(f"Kafka does not answer: {error}") from error
        for _, code, *_ in answer.topic_errors:
            if code == TopicAlreadyExistsError.errno:
                return False
            if code:
                raise BrokerAwayError(f"the topic {name} cannot be made: {for_code(code).__name__}")
        return True

    async def partitions(self, name: str) -> int:
        """Return how many partitions the topic has, 0 where there is none; raises BrokerAwayError."""
        try:
            found = await self._admin.describe_topics([name])
        except (KafkaError, OSError) as error:
            raise BrokerAwayError(f"Kafka does not answer: {error}") from error
        return len(found[0]["partitions"]) if found and not found[0]["error_code"] else 0

    async def faults(self, name: str, wanted: Mapping[str, str]) -> list[str]:
        """Return what is set otherwise than *wanted* on the topic; raises BrokerAwayError."""
        try:
            answers: Any = await self._admin.describe_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name)]
            )
        except (KafkaError, OSError) as error:
            raise BrokerAwayError(f"Kafka does not answer: {error}") from error
        found = {entry[0]: entry[1] for entry in answers[0].resources[0][4]}
        return [
            f"{key} is {found.get(key)}, not {value}"
            for key, value in wanted.items()
            if found.get(key) != value
        ]

    async def names(self) -> list[str]:
        """List the topics with the installation's prefix; raises BrokerAwayError."""
        try:
            return sorted(n for n in await self._admin.list_topics() if n.startswith(self._settings.prefix))
        except (KafkaError, OSError) as error:
            raise BrokerAwayError(f"Kafka does not answer: {error}") from error


async def ensure_log(settings: KafkaSettings) -> int:
    """Make the log's topic unless it is there, check its settings, and return its number of partitions.

    Raises BrokerAwayError, and LogCorruptError where the topic could lose history.
    """
    async with Topics(settings) as topics:
        await topics.ensure(settings.topic, settings.partitions, LOG_CONFIG)
        partitions = 0
        for _ in range(_LOOKS):  # a new topic is not known to every broker at once
            partitions = await topics.partitions(settings.topic)
            if partitions:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        if partitions == 0:
            raise BrokerAwayError(f"the topic {settings.topic} is not there yet")
        if partitions != settings.partitions:
            raise LogCorruptError(
                f"the topic {settings.topic} has {partitions} partitions, and CODEPARK_PARTITIONS is {settings.partitions}"
            )
        faults = await topics.faults(settings.topic, LOG_CONFIG)
    if faults:
        raise LogCorruptError(f"the topic {settings.topic} could lose history: {'; '.join(faults)}")
    return partitions
