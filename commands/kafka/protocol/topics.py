"""The log's topic: created with the settings that a source of truth needs, and checked at each start."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from commands.kafka.protocol.transport import BrokerUnavailableError
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
"""Set on the topic itself: settings that a topic inherits from its broker may change later."""
_REQUEST_MS = 10_000
_CHECKS, _CHECK_SECONDS = 50, 0.1


@contextmanager
def _broker_errors() -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise BrokerUnavailableError(f"Kafka does not answer: {error}") from error


class Topics:
    """An admin client that is connected inside `async with Topics(settings) as topics`."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Prepare to connect to the Kafka of *settings*."""
        self._settings = settings
        self._admin = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=_REQUEST_MS)

    async def __aenter__(self) -> Self:
        """Connect; raises BrokerUnavailableError."""
        with _broker_errors():
            await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._admin.close()

    async def ensure(self, name: str, partitions: int, config: Mapping[str, str]) -> bool:
        """Create the topic unless it exists; return whether it was created. Raises BrokerUnavailableError."""
        with _broker_errors():
            try:
                answer = await self._create(name, partitions, config)
            except TopicAlreadyExistsError:
                return False
        for _, code, *_ in answer.topic_errors:
            if code == TopicAlreadyExistsError.errno:
                return False
            if code:
                raise BrokerUnavailableError(f"the topic {name} cannot be created: {for_code(code).__name__}")
        return True

    async def _create(self, name: str, partitions: int, config: Mapping[str, str]) -> Any:
        brokers = len((await self._admin.describe_cluster())["brokers"])
        replicas, settings = min(REPLICAS, brokers), dict(config)
        if replicas == REPLICAS:
            settings["min.insync.replicas"] = str(IN_SYNC)
        topic = NewTopic(name, partitions, replicas, topic_configs=settings)
        return await self._admin.create_topics([topic], timeout_ms=_REQUEST_MS)

    async def partitions(self, name: str) -> int:
        """Return the number of partitions, 0 without such a topic; raises BrokerUnavailableError."""
        with _broker_errors():
            topics = await self._admin.describe_topics([name])
        return len(topics[0]["partitions"]) if topics and not topics[0]["error_code"] else 0

    async def faults(self, name: str, wanted: Mapping[str, str]) -> list[str]:
        """Describe the settings of the topic that are not as *wanted*; raises BrokerUnavailableError."""
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        with _broker_errors():
            answers: Any = await self._admin.describe_configs([resource])
        actual = {entry[0]: entry[1] for entry in answers[0].resources[0][4]}
        return [
            f"{key} is {actual.get(key)}, not {value}"
            for key, value in wanted.items()
            if actual.get(key) != value
        ]

    async def delete(self, names: Sequence[str]) -> None:
        """Delete topics with everything in them; raises BrokerUnavailableError."""
        with _broker_errors():
            answer: Any = await self._admin.delete_topics(list(names), timeout_ms=_REQUEST_MS)
        for name, code, *_ in answer.topic_error_codes:
            if code:
                raise BrokerUnavailableError(f"the topic {name} cannot be deleted: {for_code(code).__name__}")

    async def names(self) -> list[str]:
        """List the topics with the installation's prefix; raises BrokerUnavailableError."""
        with _broker_errors():
            names = await self._admin.list_topics()
        return sorted(name for name in names if name.startswith(self._settings.prefix))


async def ensure_log(settings: KafkaSettings) -> int:
    """Create the log's topic unless it exists, check its settings, and return its number of partitions.

    Raises BrokerUnavailableError, and LogCorruptError where the topic could lose history.
    """
    async with Topics(settings) as topics:
        await topics.ensure(settings.topic, settings.partitions, LOG_CONFIG)
        partitions = 0
        for _ in range(_CHECKS):  # it takes a moment until every broker knows a new topic
            partitions = await topics.partitions(settings.topic)
            if partitions:
                break
            await asyncio.sleep(_CHECK_SECONDS)
        if partitions == 0:
            raise BrokerUnavailableError(f"the topic {settings.topic} does not exist yet")
        if partitions != settings.partitions:
            raise LogCorruptError(
                f"the topic {settings.topic} has {partitions} partitions, "
                f"and CODEPARK_PARTITIONS is {settings.partitions}"
            )
        faults = await topics.faults(settings.topic, LOG_CONFIG)
    if faults:
        raise LogCorruptError(f"the topic {settings.topic} could lose history: {'; '.join(faults)}")
    return partitions
