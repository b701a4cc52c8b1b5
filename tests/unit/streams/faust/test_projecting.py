"""What a worker knows of a partition: places, checkpoints, and what a batch does."""

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import ChainRule, LogCheckpoint
from commands.kafka.protocol.message import Message
from commands.log import LogCorruptError, Tip
from commands.record_events import RecordEvents
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint
from streams.faust.partition_state import (
    START,
    PartitionProjector,
    packed_place,
    start_of,
    unpacked_place,
)
from tests.support.documents import dump
from tests.support.profile import Commands


def at(sequence: int, offset: int) -> Checkpoint:
    place = LogCheckpoint(
        next_offset=offset, counted_at=offset - 1, tip=Tip(sequence, b"c" * 32, 1), log_id="l"
    )
    return Checkpoint(sequence=sequence, place=packed_place(place))


def test_a_place_survives_its_mark() -> None:
    place = unpacked_place(at(5, 9).place)
    assert (place.next_offset, place.tip.sequence, place.tip.chain) == (9, 5, b"c" * 32)
    assert unpacked_place(b"") == START


@pytest.mark.parametrize(
    ("checkpoints", "offset"),
    [
        ([], 0),
        ([at(5, 9), at(7, 12)], 9),
        ([Checkpoint(), at(7, 12)], 0),
        ([Checkpoint(sequence=8), at(7, 12)], 12),  # who stored 8 does not read Kafka: 7 is before it
        ([Checkpoint(sequence=6), at(7, 12)], 0),
    ],
)
def test_reading_begins_where_no_model_is_behind(checkpoints: list[Checkpoint], offset: int) -> None:
    assert start_of(checkpoints).next_offset == offset


def test_a_batch_is_projected_and_kept(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message]
) -> None:
    step = projector.project(history)
    assert projector.place == START
    assert store.count("projects") == 0
    projector.keep(step)
    assert projector.place.next_offset == len(history)
    assert store.count("projects") == 10
    assert {c.sequence for c in store.checkpoints().values()} == {11}


def test_another_worker_goes_on_where_this_one_ended(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message], commands: Commands
) -> None:
    projector.keep(projector.project(history[:6]))
    other = PartitionProjector(0, READ_MODELS, store, RecordEvents(commands.mapper))
    assert other.load() == projector.place
    other.keep(other.project(history[6:]))
    assert store.count("projects") == 10


def test_two_batches_equal_one_and_repeating_changes_nothing(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message], commands: Commands
) -> None:
    for index in range(len(history)):
        projector.keep(projector.project(history[index : index + 1]))
    once = list(dump(store, "projects"))
    whole = SQLiteDocumentStore(None)
    whole.prepare(READ_MODELS)
    other = PartitionProjector(0, READ_MODELS, whole, RecordEvents(commands.mapper))
    other.load()
    step = other.project(history)
    other.keep(step)
    whole.apply(step.changes)
    assert list(dump(whole, "projects")) == once


def test_what_does_not_count_moves_the_place_alone(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message]
) -> None:
    projector.keep(projector.project(history[:3]))
    void = [Message(3, b"k", b"garbage", []), history[1]._replace(offset=4)]
    step = projector.project(void)
    assert step.void == 2
    assert not step.records
    projector.keep(step)
    assert projector.place.next_offset == 5
    assert store.checkpoints()["projects"].sequence == 2


def test_a_record_that_contradicts_the_chain_it_extends_stops(
    projector: PartitionProjector, history: list[Message]
) -> None:
    rule = ChainRule(0)
    for message in history[:3]:
        rule.judge(message)
    projector.place = replace(rule.checkpoint, tip=replace(rule.checkpoint.tip, sequence=7))
    with pytest.raises(LogCorruptError, match="sequence 3, not 8"):
        projector.project(history[3:4])


def test_a_model_that_was_switched_ahead_loses_nothing(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message], commands: Commands
) -> None:
    projector.keep(projector.project(history[:5]))
    build = store.begin_rebuild(READ_MODELS[0])
    rule = ChainRule(0)
    for message in history[:8]:
        rule.judge(message)
    fresh = PartitionProjector(0, READ_MODELS[:1], store, RecordEvents(commands.mapper))
    fresh.checkpoints = {READ_MODELS[0].name: Checkpoint()}
    change = fresh.project(history[:8]).changes[0]
    build.apply(change.writes, 7, packed_place(rule.checkpoint))
    build.switch()

    assert projector.reload() is False
    assert projector.place.next_offset == 5
    projector.keep(projector.project(history[5:7]))  # ends before the build does
    assert store.checkpoints()[READ_MODELS[0].name].sequence == 7
    assert unpacked_place(store.checkpoints()[READ_MODELS[0].name].place).next_offset == 8
    projector.keep(projector.project(history[7:]))
    assert store.count("projects") == 10
    assert {c.sequence for c in store.checkpoints().values()} == {11}


def test_a_model_that_is_behind_after_a_switch_is_read_again(
    projector: PartitionProjector, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    projector.keep(projector.project(history[:5]))
    early = projector.place
    projector.keep(projector.project(history[5:]))
    stored = dict(projector.checkpoints)
    stored["projects"] = Checkpoint(sequence=4, place=packed_place(early))
    monkeypatch.setattr(projector.store, "checkpoints", lambda _: stored)
    assert projector.reload() is True
    assert projector.place == early


def test_a_retry_keeps_the_mark_of_the_place(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message]
) -> None:
    step = projector.project(history)
    projector.keep(step)
    before = store.checkpoints()["projects"]
    change = Change(model="projects", writes=(), checkpoint=replace(before, blocked=frozenset({"project-x"})))
    projector.keep_changes(replace(step, changes=[change]))
    assert store.checkpoints()["projects"].place == before.place
    assert projector.checkpoints["projects"].blocked == {"project-x"}
