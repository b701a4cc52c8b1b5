"""Batches in order: what is known is left out, what is missing is read, and nothing is skipped while a part is away."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.message import Message
from commands.log import LogCorruptError, LogUnavailableError, Tip
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import ModelSwitchedError, StoreUnavailableError
from streams.faust.driver import LostPartitionError, PartitionDriver
from streams.faust.metrics import Figures
from streams.faust.partition_state import PartitionProjector, Step
from streams.faust.reader import PartitionReader
from tests.unit.streams.faust.conftest import MemoryTransport


class Noted:
    """Effects that note what they see; `failures` of the first fail."""

    def __init__(self) -> None:
        self.before_steps: list[Step] = []
        self.after_steps: list[Step] = []
        self.failures = 0

    async def before(self, partition: int, step: Step) -> None:
        if self.failures:
            self.failures -= 1
            raise LogUnavailableError("away")
        self.before_steps.append(step)

    def after(self, partition: int, step: Step) -> None:
        self.after_steps.append(step)

    def anew(self, partition: int, projector: PartitionProjector) -> None:
        pass


class Driven:
    def __init__(self, projector: PartitionProjector, history: list[Message]) -> None:
        self.transport = MemoryTransport(history)
        self.effects = Noted()
        self.executor = ThreadPoolExecutor(1)
        self.projector = projector
        self.driver = PartitionDriver(
            projector, PartitionReader(0, self.transport), self.effects, Figures("test"), self.executor
        )

    @property
    def offset(self) -> int:
        return self.projector.place.next_offset


@pytest.fixture
def driven(
    projector: PartitionProjector, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driven]:
    monkeypatch.setattr("streams.faust.driver._PAUSE_SECONDS", 0.001)
    made = Driven(projector, history)
    yield made
    made.executor.shutdown()


def test_messages_in_order_are_taken_without_reading(driven: Driven, history: list[Message]) -> None:
    async def run() -> None:
        await driven.driver.begin()
        await driven.driver.take(history[:4])
        await driven.driver.take(history[2:8])  # again, from before

    asyncio.run(run())
    assert driven.offset == 8
    assert [step.after.next_offset for step in driven.effects.after_steps] == [4, 8]
    assert driven.transport.reads == []


@pytest.mark.parametrize("missing", [slice(0, 3), slice(2, 5)])
def test_a_gap_is_read_from_the_log(
    driven: Driven, store: SQLiteDocumentStore, history: list[Message], missing: slice
) -> None:
    async def run() -> None:
        await driven.driver.begin()
        left = list(history)
        del left[missing]
        await driven.driver.take(left)

    asyncio.run(run())
    assert driven.offset == len(history)
    assert store.count("projects") == 10
    assert driven.transport.reads


def test_offsets_that_hold_nothing_are_passed(driven: Driven, history: list[Message]) -> None:
    shifted = [*history[:3], *(m._replace(offset=m.offset + 2) for m in history[3:])]
    driven.transport.messages = shifted

    async def run() -> None:
        await driven.driver.begin()
        await driven.driver.take(shifted)

    asyncio.run(run())
    assert driven.offset == len(history) + 2
    assert driven.projector.position == 11


def test_a_store_that_is_away_gets_the_same_batch_later(
    driven: Driven, store: SQLiteDocumentStore, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails, apply = [3], store.apply

    def failing(changes: object) -> None:
        if fails[0]:
            fails[0] -= 1
            raise StoreUnavailableError("away")
        apply(changes)  # type: ignore[arg-type] # as given

    monkeypatch.setattr(store, "apply", failing)

    async def run() -> None:
        await driven.driver.begin()
        await driven.driver.take(history)

    asyncio.run(run())
    assert store.count("projects") == 10
    assert len(driven.effects.after_steps) == 1


def test_nothing_is_kept_before_its_effects(driven: Driven, history: list[Message]) -> None:
    driven.effects.failures = 2

    async def run() -> None:
        await driven.driver.begin()
        await driven.driver.take(history)

    asyncio.run(run())
    assert driven.offset == len(history)
    assert len(driven.effects.before_steps) == 1


def test_a_switched_model_is_loaded_and_the_batch_goes_on(
    driven: Driven, store: SQLiteDocumentStore, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, apply = [False], store.apply

    def switched(changes: object) -> None:
        if not said[0]:
            said[0] = True
            raise ModelSwitchedError("projects")
        apply(changes)  # type: ignore[arg-type] # as given

    monkeypatch.setattr(store, "apply", switched)

    async def run() -> None:
        await driven.driver.begin()
        await driven.driver.take(history)

    asyncio.run(run())
    assert driven.offset == len(history)
    assert store.count("projects") == 10


def test_a_partition_that_was_lost_ends_the_waiting(driven: Driven, history: list[Message]) -> None:
    driven.effects.failures = 1_000_000

    async def run() -> None:
        await driven.driver.begin()
        taking = asyncio.create_task(driven.driver.take(history))
        await asyncio.sleep(0.01)
        await driven.driver.end()
        with pytest.raises(LostPartitionError):
            await taking

    asyncio.run(run())
    assert driven.offset == 0


def test_the_checkpoint_of_another_log_is_an_alarm(driven: Driven, history: list[Message]) -> None:
    async def run() -> None:
        await driven.driver.begin()
        await driven.driver.take(history)
        reader, place = driven.driver.reader, driven.projector.place
        await reader.check(place)
        with pytest.raises(LogCorruptError, match="another log"):
            await reader.check(replace(place, tip=Tip(place.tip.sequence, b"x" * 32, 0)))
        with pytest.raises(LogCorruptError, match="another log"):
            await reader.check(replace(place, next_offset=500, counted_at=499))

    asyncio.run(run())
