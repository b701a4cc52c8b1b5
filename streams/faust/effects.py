"""What a worker does besides the store: dead letters before a step, a message about it afterwards."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog

from commands.kafka.protocol.topics import Topics
from commands.kafka.protocol.transport import BrokerUnavailableError
from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError
from projections.redis.progress import ProgressPublisher, batch_message
from streams.faust.dead_letters import CONFIG, dead_letter_message, dead_letter_topic
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.producer import Sender, TopicMessage

logger = structlog.get_logger(__name__)


class StepEffects(Protocol):
    """What a step does besides the store."""

    async def before(self, partition: int, step: Step) -> None:
        """Do what must precede the store: send dead letters, publish. Raises LogUnavailableError."""
        ...

    def after(self, partition: int, step: Step) -> None:
        """Report that *step* is stored; called in the worker's thread, must not raise."""
        ...

    def everything_changed(self, partition: int, projector: PartitionProjector) -> None:
        """Report that any document may have changed; called in the worker's thread, must not raise."""
        ...

    def changed(self, partition: int, projector: PartitionProjector, homes: frozenset[str]) -> None:
        """Report that documents of *homes* have changed without an event; as `everything_changed`."""
        ...


class DeadLetterEffects:
    """Send dead letters before a step is stored, and publish the progress after it."""

    def __init__(
        self, settings: KafkaSettings, group: str, sender: Sender, publisher: ProgressPublisher | None
    ) -> None:
        """Send with *sender*; publish with *publisher*, if there is one."""
        self._group = group
        self._sender = sender
        self._publisher = publisher
        self._topic = dead_letter_topic(settings.prefix)
        self._topics = TopicsOnce(settings, [self._topic], CONFIG)

    async def before(self, partition: int, step: Step) -> None:
        """Send the dead letters of *step* and wait for the acknowledgement; raises LogUnavailableError."""
        dead_letters = step.dead_letters
        if not dead_letters:
            return
        await self._topics.ensure()
        await self._sender.send(
            TopicMessage(
                self._topic, *dead_letter_message(letter, step.originals[letter.sequence], partition)
            )
            for letter in dead_letters
        )
        for letter in dead_letters:
            logger.error(
                "dead letter",
                model=letter.model,
                sequence=letter.sequence,
                stream=letter.stream,
                reason=letter.reason,
            )

    def after(self, partition: int, step: Step) -> None:
        """Publish the batch to the nodes that answer queries."""
        if self._publisher is None:
            return
        checkpoints = {change.model: change.checkpoint for change in step.changes}
        homes = {record.home for record in step.records}
        self._publisher.publish(
            batch_message(
                self._group, partition, step.before.tip.sequence, step.after.tip.sequence, homes, checkpoints
            )
        )

    def everything_changed(self, partition: int, projector: PartitionProjector) -> None:
        """Publish that any document may have changed: dead letters were retried."""
        self._publish_present(partition, projector, None)

    def changed(self, partition: int, projector: PartitionProjector, homes: frozenset[str]) -> None:
        """Publish that documents of *homes* have changed: work that was put off is done."""
        self._publish_present(partition, projector, homes)

    def _publish_present(
        self, partition: int, projector: PartitionProjector, homes: frozenset[str] | None
    ) -> None:
        if self._publisher is not None:
            sequence = projector.log_checkpoint.tip.sequence
            self._publisher.publish(
                batch_message(self._group, partition, sequence, sequence, homes, projector.checkpoints)
            )


class TopicsOnce:
    """Topics that are created, if they are missing, before the first message is sent to them."""

    def __init__(self, settings: KafkaSettings, names: Iterable[str], config: Mapping[str, str]) -> None:
        """Create the topics *names* with *config*."""
        self._settings = settings
        self._names = tuple(names)
        self._config = dict(config)
        self._exist = False

    async def ensure(self) -> None:
        """Create the topics at the first call; raises LogUnavailableError."""
        if self._exist:
            return
        try:
            async with Topics(self._settings) as topics:
                for name in self._names:
                    await topics.ensure(name, self._settings.partitions, self._config)
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error
        self._exist = True
