"""The records of a log as the messages of a partition, and what projects them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from commands.chain import first_chain, link
from commands.kafka.protocol.chain_rule import opening_headers
from commands.kafka.protocol.message import Message
from commands.kafka.protocol.transport import BrokerUnavailableError, TruncatedError
from commands.log import LogUnavailableError
from commands.mapper import RecordEvents
from commands.record_headers import covered_and_headers
from domain.record import Record
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from streams.faust.driver import PartitionDriver
from streams.faust.metrics import WorkerMetrics
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.reader import PartitionReader
from tests.support.profile import Commands

LOG = "0190c0de-0000-7000-8000-000000000001"


def messages_of(records: Sequence[Record], *, log_id: str = LOG) -> list[Message]:
    """Return the opening message and those of *records*, chained."""
    chain = first_chain(log_id, 0, 1)
    messages = [Message(0, None, None, opening_headers(log_id, 0, 1))]
    for record in records:
        covered, headers = covered_and_headers(record)
        chain = link(chain, covered)
        key = record.home.encode()
        messages.append(Message(len(messages), key, record.data, [*headers, ("chain", chain)]))
    return messages


class MemoryTransport:
    """A partition in memory; `unavailable` makes it silent."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = list(messages)
        self.reads: list[int] = []
        self.unavailable = False

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        if self.unavailable:
            raise BrokerUnavailableError("unavailable")
        if offset > len(self.messages):
            raise TruncatedError(str(offset))
        self.reads.append(offset)
        following = [message for message in self.messages if message.offset >= offset]
        return following, max((message.offset + 1 for message in following), default=offset)

    async def end(self) -> int:
        return self.messages[-1].offset + 1

    async def close(self) -> None:
        pass


class NotedEffects:
    """Effects that note the steps; the first *failures* calls fail."""

    def __init__(self) -> None:
        self.before_steps: list[Step] = []
        self.after_steps: list[Step] = []
        self.changed_homes: list[frozenset[str]] = []
        self.failures = 0

    async def before(self, partition: int, step: Step) -> None:
        if self.failures:
            self.failures -= 1
            raise LogUnavailableError("unavailable")
        self.before_steps.append(step)

    def after(self, partition: int, step: Step) -> None:
        self.after_steps.append(step)

    def everything_changed(self, partition: int, projector: PartitionProjector) -> None:
        pass

    def changed(self, partition: int, projector: PartitionProjector, homes: frozenset[str]) -> None:
        self.changed_homes.append(homes)


class Driven:
    """A driver over a partition in memory."""

    def __init__(self, projector: PartitionProjector, history: list[Message]) -> None:
        self.transport = MemoryTransport(history)
        self.effects = NotedEffects()
        self.executor = ThreadPoolExecutor(1)
        self.projector = projector
        self.driver = PartitionDriver(
            projector, PartitionReader(0, self.transport), self.effects, WorkerMetrics("test"), self.executor
        )

    @property
    def offset(self) -> int:
        return self.projector.log_checkpoint.next_offset

    def run(self, work: Callable[[PartitionDriver], Coroutine[Any, Any, None]]) -> None:
        """Begin the partition, and do *work* with its driver."""

        async def begun() -> None:
            await self.driver.begin()
            await work(self.driver)

        asyncio.run(begun())

    def take(self, *batches: Sequence[Message]) -> None:
        """Begin the partition, and take *batches*."""

        async def work(driver: PartitionDriver) -> None:
            for batch in batches:
                await driver.take(batch)

        self.run(work)


@pytest.fixture
def store() -> Iterator[SQLiteDocumentStore]:
    made = SQLiteDocumentStore(None)
    made.prepare(READ_MODELS)
    yield made
    made.close()


@pytest.fixture
def history(commands: Commands) -> list[Message]:
    """Ten projects, one of them renamed."""
    ids = [commands.project(f"p{number}") for number in range(10)]
    commands.do("project.update", target=ids[0], name="renamed")
    return messages_of(commands.log.read(0, 1_000))


@pytest.fixture
def new_projector(commands: Commands) -> Callable[..., PartitionProjector]:
    """Return what makes a projector for a store, as another worker would, with its checkpoints loaded."""

    def new(store: SQLiteDocumentStore, models=READ_MODELS) -> PartitionProjector:
        made = PartitionProjector(0, models, store, RecordEvents(commands.mapper))
        made.load()
        return made

    return new


@pytest.fixture
def projector(
    new_projector: Callable[..., PartitionProjector], store: SQLiteDocumentStore
) -> PartitionProjector:
    return new_projector(store)


@pytest.fixture
def driven(
    projector: PartitionProjector, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driven]:
    monkeypatch.setattr("streams.faust.driver._PAUSE_SECONDS", 0.001)
    made = Driven(projector, history)
    yield made
    made.executor.shutdown()
