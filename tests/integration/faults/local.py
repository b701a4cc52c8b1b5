"""A node's command side in this process: the log on Kafka, its replica and its bus."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from commands.bus import accepted
from commands.intake import CommandMetadata, Intake
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.bus import KafkaCommandBus
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.settings import KafkaSettings
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.mapper import EventMapper
from commands.outcomes import Accepted
from commands.sqlite.keys import SQLiteKeyStore
from commands.table.registry import CLIENT_COMMANDS
from domain.times import system_clock
from tests.support.profile import ADA, SECRETS


class LocalNode:
    """Commands over the log, without HTTP and without other nodes."""

    def __init__(
        self, settings: KafkaSettings, folder: Path, clock: Callable[[], int] = system_clock
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.thread = LoopThread()
        self.keys = SQLiteKeyStore(folder / "keys.sqlite", LocalKms(SECRETS.master_key))
        self.mapper = EventMapper(PersonalCipher(self.keys))
        self.log = KafkaEventLog(settings, self.mapper, folder / "replica", self.thread)
        self.opened_at = self.log.checkpoint.next_offset
        self.bus = KafkaCommandBus(self.log, clock)
        self.intake = Intake(SECRETS, self.log)

    @property
    def replica(self) -> Path:
        return self.log._replica.path

    def create(self, name: str, key: str | None = None) -> Accepted:
        """Create a project."""
        input_type = CLIENT_COMMANDS["project.create"].input
        data = msgspec.json.decode(msgspec.json.encode({"name": name}), type=input_type)
        request = CommandMetadata(actor=ADA, key=key, expected_version=None)
        submission = self.intake.submission("project.create", data, request)
        return accepted(self.bus.execute_sync([submission])[0])

    def close(self) -> None:
        self.bus.close()
        self.log.close()
        self.thread.close()
        self.keys.close()


@contextmanager
def running(settings: KafkaSettings, folder: Path, **options: Any) -> Iterator[LocalNode]:
    """Yield a node that has read its log."""
    node = LocalNode(settings, folder, **options)
    try:
        node.log.start()
        yield node
    finally:
        node.close()


def send(settings: KafkaSettings, *messages: Any) -> None:
    """Append messages to the log's topic, as any client could that Kafka lets in."""

    async def sent() -> None:
        transport = KafkaTransport(settings, settings.topic, 0)
        try:
            await transport.send(messages)
        finally:
            await transport.close()

    asyncio.run(sent())


def facts(outcomes: Sequence[Accepted]) -> list[tuple[str, str, int, str]]:
    """Return what clients learn of the outcomes."""
    return [(each.command_id, each.stream, each.version, each.position.token()) for each in outcomes]
