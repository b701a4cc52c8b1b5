"""Publish the messages for analysts: a read model without documents, whose effects are the messages.

A message is sent and acknowledged before the checkpoint moves, so that a crash repeats messages and never
loses one; readers drop repeated ones by their id. An event that cannot be published becomes a dead
letter and blocks its stream.
"""

from collections.abc import Iterable

from commands.kafka.settings import KafkaSettings
from domain.event import Event
from domain.record import Record
from projections.model import ReadModel
from projections.writes import Write
from streams.faust.effects import DeadLetterEffects, TopicsOnce
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.producer import Sender, TopicMessage
from streams.public.message import PublicMessage, public_message
from streams.public.pseudonyms import Pseudonym
from streams.public.publications import PUBLISHED
from streams.public.topics import PUBLIC, public_topics

CONFIG = {"cleanup.policy": "delete", "retention.ms": "-1"}


class Outbox:
    """Messages of a step that are not sent yet, by partition and sequence."""

    def __init__(self) -> None:
        """Start empty."""
        self._messages: dict[tuple[int, int], PublicMessage] = {}

    def put(self, partition: int, sequence: int, message: PublicMessage) -> None:
        """Add a message; one that is projected again replaces itself."""
        self._messages[partition, sequence] = message

    def of(self, partition: int) -> list[PublicMessage]:
        """Return the messages of a partition, in order."""
        return [self._messages[key] for key in sorted(self._messages) if key[0] == partition]

    def drop(self, partition: int) -> None:
        """Remove the messages of a partition."""
        self._messages = {key: message for key, message in self._messages.items() if key[0] != partition}


def public_model(partition: int, pseudonym: Pseudonym, prefix: str, outbox: Outbox) -> ReadModel:
    """Return the model that puts the public messages of a partition's events into *outbox*."""

    def project(event: Event, record: Record) -> Iterable[Write]:
        message = public_message(event, record, partition, pseudonym=pseudonym, prefix=prefix)
        if message is not None:
            outbox.put(partition, record.sequence, message)
        return ()

    topics = frozenset(publication.type for publication in PUBLISHED)
    return ReadModel(name=PUBLIC, version=2, collections=(), project=project, topics=topics)


class PublicEffects:
    """Send dead letters and public messages before a step is stored."""

    def __init__(
        self, settings: KafkaSettings, dead_letters: DeadLetterEffects, sender: Sender, outbox: Outbox
    ) -> None:
        """Send the messages in *outbox* with *sender*."""
        self._topics = TopicsOnce(settings, public_topics(settings.prefix), CONFIG)
        self._dead_letters = dead_letters
        self._sender = sender
        self._outbox = outbox

    async def before(self, partition: int, step: Step) -> None:
        """Send all and wait for the acknowledgements; raises LogUnavailableError, then all is sent again."""
        await self._topics.ensure()
        await self._dead_letters.before(partition, step)
        await self._sender.send(
            TopicMessage(message.topic, message.key, message.value, list(message.headers), message.timestamp)
            for message in self._outbox.of(partition)
        )
        self._outbox.drop(partition)

    def after(self, partition: int, step: Step) -> None:
        """Do nothing: no query waits for public messages."""

    def everything_changed(self, partition: int, projector: PartitionProjector) -> None:
        """Do nothing."""

    def changed(self, partition: int, projector: PartitionProjector, homes: frozenset[str]) -> None:
        """Do nothing."""
