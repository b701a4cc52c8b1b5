"""Batches in order: known messages are left out, missing ones are read, none is skipped in an outage."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.message import Message
from commands.log import LogCorruptError, Tip
from projections.model import CatchUp
from projections.models.projects import PROJECTS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, DocumentStore, ModelSwitchedError, StoreUnavailableError
from projections.writes import Put, Write
from streams.faust.driver import LostPartitionError, PartitionDriver
from streams.put_off_work import PutOffWork
from tests.unit.streams.faust.conftest import Driven


def fail_first(
    monkeypatch: pytest.MonkeyPatch, store: SQLiteDocumentStore, error: Exception, times: int
) -> None:
    """Let the first *times* writes to *store* fail with *error*."""
    remaining, apply = [times], store.apply

    def failing(changes: Sequence[Change]) -> None:
        if remaining[0]:
            remaining[0] -= 1
            raise error
        apply(changes)

    monkeypatch.setattr(store, "apply", failing)


def test_messages_in_order_are_taken_without_reading(driven: Driven, history: list[Message]) -> None:
    driven.take(history[:4], history[2:8])  # the second batch begins with known messages
    assert driven.offset == 8
    assert [step.after.next_offset for step in driven.effects.after_steps] == [4, 8]
    assert driven.transport.reads == []


@pytest.mark.parametrize("missing", [slice(0, 3), slice(2, 5)])
def test_a_gap_is_read_from_the_log(
    driven: Driven, store: SQLiteDocumentStore, history: list[Message], missing: slice
) -> None:
    delivered = list(history)
    del delivered[missing]
    driven.take(delivered)
    assert driven.offset == len(history)
    assert store.count("projects") == 10
    assert driven.transport.reads


def test_offsets_without_a_message_are_passed(driven: Driven, history: list[Message]) -> None:
    shifted = [
        *history[:3],
        *(message._replace(offset=message.offset + 2) for message in history[3:]),
    ]
    driven.transport.messages = shifted
    driven.take(shifted)
    assert driven.offset == len(history) + 2
    assert driven.projector.position == 11


def test_after_an_outage_the_store_gets_the_same_batch(
    driven: Driven, store: SQLiteDocumentStore, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(monkeypatch, store, StoreUnavailableError("unavailable"), times=3)
    driven.take(history)
    assert store.count("projects") == 10
    assert len(driven.effects.after_steps) == 1


def test_nothing_is_stored_before_its_effects(driven: Driven, history: list[Message]) -> None:
    driven.effects.failures = 2
    driven.take(history)
    assert driven.offset == len(history)
    assert len(driven.effects.before_steps) == 1


def test_a_switched_model_is_loaded_and_the_batch_is_projected_again(
    driven: Driven, store: SQLiteDocumentStore, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(monkeypatch, store, ModelSwitchedError("projects"), times=1)
    driven.take(history)
    assert driven.offset == len(history)
    assert store.count("projects") == 10


def test_a_lost_partition_ends_the_waiting(driven: Driven, history: list[Message]) -> None:
    driven.effects.failures = 1_000_000

    async def lose(driver: PartitionDriver) -> None:
        taking = asyncio.create_task(driver.take(history))
        await asyncio.sleep(0.01)
        await driver.end()
        with pytest.raises(LostPartitionError):
            await taking

    driven.run(lose)
    assert driven.offset == 0


def test_the_checkpoint_of_another_log_is_an_alarm(driven: Driven, history: list[Message]) -> None:
    async def check(driver: PartitionDriver) -> None:
        await driver.take(history)
        reader, log_checkpoint = driver.reader, driven.projector.log_checkpoint
        await reader.check(log_checkpoint)
        other_chain = Tip(log_checkpoint.tip.sequence, b"x" * 32, 0)
        with pytest.raises(LogCorruptError, match="another log"):
            await reader.check(replace(log_checkpoint, tip=other_chain))
        with pytest.raises(LogCorruptError, match="another log"):
            await reader.check(replace(log_checkpoint, next_offset=500, counted_at=499))

    driven.run(check)


def test_work_that_was_put_off_is_done_between_batches(driven: Driven, history: list[Message]) -> None:
    """It moves no checkpoint, and the nodes learn whose documents have changed."""
    turns = [CatchUp(waiting=True), CatchUp(writes=[_renamed(9)], homes=frozenset({"h"}), waiting=True)]
    asked: list[int] = []

    def catch_up(_: DocumentStore, partition: int) -> CatchUp:
        asked.append(partition)
        return turns.pop() if turns else CatchUp()

    models = driven.projector.models
    driven.projector._put_off = PutOffWork((replace(models[0], catch_up=catch_up), *models[1:]))

    async def work(driver: PartitionDriver) -> None:
        await driver.take(history[:4])
        for _ in range(4):
            await driver.between_batches()

    driven.run(work)
    assert asked == [0, 0, 0], "after the third turn nothing waits"
    assert driven.effects.changed_homes == [frozenset({"h"})]
    assert driven.offset == 4
    assert driven.projector.store.get(PROJECTS, "late") == {"id": "late", "name": "measured"}
    assert driven.projector.store.checkpoints()["projects"].sequence == 3


def test_without_work_that_is_put_off_nothing_is_asked_between_batches(driven: Driven) -> None:
    assert not driven.projector.has_turn()


def _renamed(position: int) -> tuple[int, Sequence[Write]]:
    return position, (Put(PROJECTS, "late", {"id": "late", "name": "measured"}),)
