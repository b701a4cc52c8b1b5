"""What a worker knows of a partition: its checkpoints, and what a batch does to them."""

from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import ChainRule, LogCheckpoint
from commands.kafka.protocol.message import Message
from commands.log import LogCorruptError, Tip
from projections.models import READ_MODELS
from projections.models.projects import PROJECTS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint
from streams.faust.partition_state import START, PartitionProjector, pack, start_of, unpack
from tests.support.documents import dump

NewProjector = Callable[..., PartitionProjector]
MODEL = READ_MODELS[0]


def at(sequence: int, offset: int) -> Checkpoint:
    log_checkpoint = LogCheckpoint(
        next_offset=offset, counted_at=offset - 1, tip=Tip(sequence, b"c" * 32, 1), log_id="l"
    )
    return Checkpoint(sequence=sequence, resume_at=pack(log_checkpoint))


def project(projector: PartitionProjector, messages: Sequence[Message]) -> None:
    """Project *messages* and store the step."""
    projector.store_step(projector.project(messages))


def sequences(store: SQLiteDocumentStore) -> set[int]:
    return {checkpoint.sequence for checkpoint in store.checkpoints().values()}


def test_a_log_checkpoint_is_packed_without_loss() -> None:
    log_checkpoint = unpack(at(5, 9).resume_at)
    assert (log_checkpoint.next_offset, log_checkpoint.tip.sequence) == (9, 5)
    assert log_checkpoint.tip.chain == b"c" * 32
    assert unpack(b"") == START


@pytest.mark.parametrize(
    ("checkpoints", "offset"),
    [
        ([], 0),
        ([at(5, 9), at(7, 12)], 9),
        ([Checkpoint(), at(7, 12)], 0),
        ([Checkpoint(sequence=8), at(7, 12)], 12),  # 8 was stored without Kafka, and 7 is before it
        ([Checkpoint(sequence=6), at(7, 12)], 0),
    ],
)
def test_reading_begins_where_no_model_is_behind(checkpoints: list[Checkpoint], offset: int) -> None:
    assert start_of(checkpoints).next_offset == offset


def test_a_batch_is_projected_and_stored(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message]
) -> None:
    step = projector.project(history)
    assert projector.log_checkpoint == START
    assert store.count(PROJECTS) == 0
    projector.store_step(step)
    assert projector.log_checkpoint.next_offset == len(history)
    assert store.count(PROJECTS) == 10
    assert sequences(store) == {11}


def test_another_worker_continues_where_this_one_ended(
    projector: PartitionProjector,
    new_projector: NewProjector,
    store: SQLiteDocumentStore,
    history: list[Message],
) -> None:
    project(projector, history[:6])
    other = new_projector(store)
    assert other.log_checkpoint == projector.log_checkpoint
    project(other, history[6:])
    assert store.count(PROJECTS) == 10


def test_two_batches_equal_one_and_repeating_changes_nothing(
    projector: PartitionProjector,
    new_projector: NewProjector,
    store: SQLiteDocumentStore,
    history: list[Message],
) -> None:
    for message in history:
        project(projector, [message])
    whole = SQLiteDocumentStore(None)
    whole.prepare(READ_MODELS)
    other = new_projector(whole)
    step = other.project(history)
    other.store_step(step)
    whole.apply(step.changes)
    assert list(dump(whole, PROJECTS)) == list(dump(store, PROJECTS))
    whole.close()


def test_void_messages_move_the_log_checkpoint_alone(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message]
) -> None:
    project(projector, history[:3])
    step = projector.project([Message(3, b"k", b"garbage", []), history[1]._replace(offset=4)])
    assert step.void == 2
    assert not step.records
    projector.store_step(step)
    assert projector.log_checkpoint.next_offset == 5
    assert store.checkpoints()[PROJECTS].sequence == 2


def test_a_record_that_contradicts_the_chain_it_extends_stops(
    projector: PartitionProjector, history: list[Message]
) -> None:
    rule = ChainRule(0)
    for message in history[:3]:
        rule.judge(message)
    projector.log_checkpoint = replace(rule.checkpoint, tip=replace(rule.checkpoint.tip, sequence=7))
    with pytest.raises(LogCorruptError, match="sequence 3, not 8"):
        projector.project(history[3:4])


def test_a_model_that_was_switched_ahead_loses_nothing(
    projector: PartitionProjector,
    new_projector: NewProjector,
    store: SQLiteDocumentStore,
    history: list[Message],
) -> None:
    project(projector, history[:5])
    build = store.begin_rebuild(MODEL)
    rebuilding = new_projector(store, [MODEL])
    rebuilding.checkpoints = {MODEL.name: Checkpoint()}
    rebuilding.log_checkpoint = START
    step = rebuilding.project(history[:8])
    build.apply(step.changes[0].writes, 7, pack(step.after))
    build.switch()

    assert projector.reload() is False
    assert projector.log_checkpoint.next_offset == 5
    project(projector, history[5:7])  # ends before the rebuild does
    assert store.checkpoints()[MODEL.name].sequence == 7
    assert unpack(store.checkpoints()[MODEL.name].resume_at).next_offset == 8
    project(projector, history[7:])
    assert store.count(PROJECTS) == 10
    assert sequences(store) == {11}


def test_a_model_that_is_behind_after_a_switch_is_read_again(
    projector: PartitionProjector, history: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    project(projector, history[:5])
    early = projector.log_checkpoint
    project(projector, history[5:])
    stored = projector.checkpoints | {PROJECTS: Checkpoint(sequence=4, resume_at=pack(early))}
    monkeypatch.setattr(projector.store, "checkpoints", lambda _: stored)
    assert projector.reload() is True
    assert projector.log_checkpoint == early


def test_a_retry_keeps_where_reading_resumes(
    projector: PartitionProjector, store: SQLiteDocumentStore, history: list[Message]
) -> None:
    step = projector.project(history)
    projector.store_step(step)
    before = store.checkpoints()[PROJECTS]
    change = Change(model=PROJECTS, writes=(), checkpoint=replace(before, blocked=frozenset({"project-x"})))
    projector.store_changes(replace(step, changes=[change]))
    assert store.checkpoints()[PROJECTS].resume_at == before.resume_at
    assert projector.checkpoints[PROJECTS].blocked == {"project-x"}
