"""Publish the analysts' messages: a model without documents, whose effects are the messages.

A message is sent and acknowledged before the checkpoint moves, so a crash repeats and never loses; readers drop what
is repeated by its sequence. An event that cannot be published becomes a dead letter and blocks its stream.
"""

from collections.abc import Iterable

from commands.kafka.protocol.topics import Topics
from commands.kafka.protocol.transport import BrokerUnavailableError
from commands.kafka.settings import KafkaSettings
from commands.log import LogUnavailableError
from domain.event import Event
from domain.record import Record
from projections.model import ReadModel
from projections.writes import Write
from streams.faust.effects import DeadLetterEffects
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.producer import Sender, ToSend
from streams.public.message import PublicMessage, public_message
from streams.public.pseudonyms import Pseudonym
from streams.public.publications import PUBLISHED
from streams.public.topics import public_topics

PUBLIC = "public-topics"
CONFIG = {"cleanup.policy": "delete", "retention.ms": "-1"}


class Outbox:
    """Messages that a step has made and that are not sent yet, by their place in the log."""

    def __init__(self) -> None:
        """Start empty."""
        self._messages: dict[tuple[int, int], PublicMessage] = {}

    def put(self, partition: int, sequence: int, message: PublicMessage) -> None:
        """Keep a message; one made again takes its own place."""
        self._messages[partition, sequence] = message

    def of(self, partition: int) -> list[PublicMessage]:
        """Return the messages of a partition in order."""
        return [self._messages[place] for place in sorted(self._messages) if place[0] == partition]

    def drop(self, partition: int) -> None:
        """Forget those of a partition."""
        self._messages = {place: m for place, m in self._messages.items() if place[0] != partition}


def public_model(partition: int, pseudonym: Pseudonym, prefix: str, outbox: Outbox) -> ReadModel:
    """Return the model that puts what is published of a partition's events into *outbox*."""

    def project(event: Event, record: Record) -> Iterable[Write]:
        message = public_message(event, record, partition, pseudonym=pseudonym, prefix=prefix)
        if message is not None:
            outbox.put(partition, record.sequence, message)
        return ()

    return ReadModel(
        name=PUBLIC, version=1, collections=(), project=project, topics=frozenset(p.type for p in PUBLISHED)
    )


class PublicEffects:
    """Send dead letters and public messages before a step is kept."""

    def __init__(
        self, settings: KafkaSettings, letters: DeadLetterEffects, sender: Sender, outbox: Outbox
    ) -> None:
        """Send what is in *outbox* with *sender*."""
        self._settings = settings
        self._letters = letters
        self._sender = sender
        self._outbox = outbox
        self._made = False

    async def before(self, partition: int, step: Step) -> None:
        """Send and wait for the acknowledgements; raises LogUnavailableError, and all of it is sent again."""
        await self._make_topics()
        await self._letters.before(partition, step)
        await self._sender.send(
            ToSend(m.topic, m.key, m.value, list(m.headers)) for m in self._outbox.of(partition)
        )
        self._outbox.drop(partition)

    def after(self, partition: int, step: Step) -> None:
        """Say nothing: no query waits for it."""

    def anew(self, partition: int, projector: PartitionProjector) -> None:
        """Say nothing."""

    async def _make_topics(self) -> None:
        if self._made:
            return
        try:
            async with Topics(self._settings) as topics:
                for name in public_topics(self._settings.prefix):
                    await topics.ensure(name, self._settings.partitions, CONFIG)
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error
        self._made = True
