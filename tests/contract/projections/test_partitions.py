"""Each partition has its own checkpoint, dead letters and part in a switch."""

import pytest
from msgspec.structs import replace

from projections.store import Change, Checkpoint, DeadLetter
from projections.writes import Patch, Put
from tests.support.documents import dump

from .samples import MODELS, NOTES, note


def change(partition, sequence, *writes, **fields):
    checkpoint = fields.pop("checkpoint", Checkpoint(sequence=sequence))
    return Change(
        model="notes", writes=[(sequence, writes)], checkpoint=checkpoint, partition=partition, **fields
    )


def put(id_, **fields):
    return Put("notes", id_, note(id_, **fields))


def sequences(store, *partitions):
    return [store.checkpoints(partition)["notes"].sequence for partition in partitions]


def letter(partition, sequence, stream="s", reason="r"):
    return DeadLetter(
        model="notes", stream=stream, sequence=sequence, topic="t", reason=reason, partition=partition
    )


def test_each_partition_has_a_checkpoint_of_its_own(store):
    assert sequences(store, 0, 1, 7) == [0, 0, 0]
    store.apply([change(1, 5, put("a"))])
    first = Checkpoint(sequence=2, blocked=frozenset({"s"}), resume_at=b"\x00here")
    store.apply([change(0, 2, put("b"), checkpoint=first)])
    assert store.checkpoints(1)["notes"] == Checkpoint(sequence=5)
    assert (store.checkpoints()["notes"], store.checkpoints(2)["notes"]) == (first, Checkpoint())
    assert {checkpoint.sequence for checkpoint in store.checkpoints(1).values()} == {0, 5}
    assert store.count("notes") == 2


def test_one_step_may_move_several_partitions(store):
    store.apply([change(0, 3, put("a")), change(2, 1, put("b")), change(1, 2, put("c")), change(2, 4)])
    assert sequences(store, 0, 1, 2) == [3, 2, 4]


def test_no_checkpoint_goes_back(store):
    store.apply([change(1, 5, put("a", rank=5))])
    store.apply([change(1, 3, put("a", rank=3))])
    assert (sequences(store, 1), store.get("notes", "a")) == ([5], note("a", rank=5))


def test_documents_are_guarded_by_the_positions_of_their_own_partition(store):
    store.apply([change(1, 900, put("far"))])
    store.apply([change(0, 1, put("near"))])
    store.apply([change(0, 2, Patch("notes", "near", {"title": "x"}))])
    assert store.get("notes", "near") == note("near", title="x")


def test_checkpoints_survive_another_prepare(store):
    store.apply([change(2, 5, put("a"), checkpoint=Checkpoint(sequence=5, resume_at=b"p"))])
    store.prepare(MODELS)
    assert store.checkpoints(2)["notes"] == Checkpoint(sequence=5, resume_at=b"p")


def test_a_new_version_begins_at_the_start_of_every_partition(store):
    store.apply([change(0, 2, put("a")), change(1, 5, put("b"), dead_letters=[letter(1, 5)])])
    store.prepare([replace(NOTES, version=2)])
    assert (sequences(store, 0, 1), store.count("notes"), store.dead_letters()) == ([0, 0], 0, [])


def test_dead_letters_of_two_partitions_may_have_the_same_sequence(store):
    letters = [letter(0, 4), letter(1, 4, "t"), letter(1, 6, "t", None)]
    store.apply([change(0, 4, dead_letters=letters[:1]), change(1, 6, dead_letters=letters[1:])])
    assert store.dead_letters() == letters == store.dead_letters("notes")
    store.apply([change(1, 6, solved=[4])])
    assert store.dead_letters() == [letters[0], letters[2]]
    store.apply([change(1, 7, dead_letters=[letter(1, 6, "t", "again")])])
    assert [each.reason for each in store.dead_letters()] == ["r", "again"]


def test_a_rebuild_covers_every_partition(store):
    store.apply([change(0, 2, put("a")), change(1, 5, put("b"), dead_letters=[letter(1, 5)])])
    build = store.begin_rebuild(NOTES)
    build.apply([(2, (put("a", rank=7),))], 2, b"zero")
    build.apply([(5, (put("b", rank=7),))], 6, b"one", 1)
    build.apply([], 3, b"two", 2)
    build.switch()
    assert [d["rank"] for d in dump(store, "notes")] == [7, 7]
    assert [store.checkpoints(partition)["notes"] for partition in range(3)] == [
        Checkpoint(sequence=2, resume_at=b"zero"),
        Checkpoint(sequence=6, resume_at=b"one"),
        Checkpoint(sequence=3, resume_at=b"two"),
    ]
    assert store.dead_letters() == []
    store.apply([change(1, 7, put("c"))])
    assert sequences(store, 0, 1, 2) == [2, 7, 3]


@pytest.mark.parametrize(("first", "second"), [(2, 4), (1, 5), (2, None)])
def test_a_rebuild_that_is_behind_in_one_partition_does_not_switch(store, first, second):
    store.apply([change(0, 2, put("a")), change(1, 5, put("b"))])
    build = store.begin_rebuild(NOTES)
    build.apply([], first)
    if second is not None:
        build.apply([], second, b"", 1)
    with pytest.raises(ValueError, match="live"):
        build.switch()
    assert (sequences(store, 0, 1), store.count("notes")) == ([2, 5], 2)
    build.apply([], 2)
    build.apply([], 5, b"", 1)
    build.switch()
    assert (sequences(store, 0, 1), store.count("notes")) == ([2, 5], 0)
