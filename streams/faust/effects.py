"""What a projecting worker does beside the store: dead letters first, and the news of each kept batch."""

import structlog

from commands.kafka.protocol.topics import Topics
from commands.kafka.protocol.transport import BrokerUnavailableError
from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError
from projections.redis.progress import ProgressPublisher, batch_message
from streams.faust.dead_letters import CONFIG, dead_letter_topic, letter_message
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.producer import Sender, ToSend

logger = structlog.get_logger(__name__)


class DeadLetterEffects:
    """Send dead letters before a step is kept, and publish the progress after it."""

    def __init__(
        self, settings: KafkaSettings, group: str, sender: Sender, publisher: ProgressPublisher | None
    ) -> None:
        """Send with *sender*; publish with *publisher* where there is one."""
        self._settings = settings
        self._group = group
        self._sender = sender
        self._publisher = publisher
        self._topic = dead_letter_topic(settings.prefix)
        self._made = False

    async def before(self, partition: int, step: Step) -> None:
        """Send the dead letters of *step* and wait for the acknowledgement; raises LogUnavailableError."""
        letters = step.letters
        if not letters:
            return
        await self._make_topic()
        await self._sender.send(
            ToSend(self._topic, *letter_message(letter, step.originals[letter.sequence], partition))
            for letter in letters
        )
        for letter in letters:
            logger.error(
                "dead letter",
                model=letter.model,
                sequence=letter.sequence,
                stream=letter.stream,
                reason=letter.reason,
            )

    def after(self, partition: int, step: Step) -> None:
        """Tell who answers queries."""
        if self._publisher is None:
            return
        checkpoints = {change.model: change.checkpoint for change in step.changes}
        homes = {record.home for record in step.records}
        self._publisher.publish(
            batch_message(
                self._group, partition, step.before.tip.sequence, step.after.tip.sequence, homes, checkpoints
            )
        )

    def anew(self, partition: int, projector: PartitionProjector) -> None:
        """Tell that anything may have changed: dead letters were retried."""
        if self._publisher is not None:
            sequence = projector.place.tip.sequence
            self._publisher.publish(
                batch_message(self._group, partition, sequence, sequence, None, projector.checkpoints)
            )

    async def _make_topic(self) -> None:
        if self._made:
            return
        try:
            async with Topics(self._settings) as topics:
                await topics.ensure(self._topic, self._settings.partitions, CONFIG)
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error
        self._made = True
