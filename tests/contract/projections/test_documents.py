"""Single documents, checkpoints and dead letters."""

import pytest

from projections.store import Change, Checkpoint, DeadLetter
from projections.writes import Delete, Patch, Put
from tests.support.documents import dump

from .samples import NOTES, OTHERS, apply, note, put


def test_get_and_get_many(store):
    put(store, [note("a"), note("b/c é")])
    assert store.get("notes", "b/c é") == note("b/c é")
    assert store.get("notes", "x") is None
    assert store.get_many("notes", ["a", "x", "b/c é"]) == {"a": note("a"), "b/c é": note("b/c é")}
    assert store.get_many("notes", []) == {}


def test_an_older_write_does_nothing_after_a_newer_one(store):
    apply(store, [(5, (Put("notes", "a", note("a", rank=5)),))])
    apply(store, [(4, (Put("notes", "a", note("a", rank=4)),))])
    assert store.get("notes", "a") == note("a", rank=5)


def test_an_older_write_does_not_bring_a_deleted_document_back(store):
    apply(store, [(5, (Delete("notes", "a"),))])
    apply(store, [(4, (Put("notes", "a", note("a")),))])
    assert store.get("notes", "a") is None
    assert (store.count("notes"), list(dump(store, "notes"))) == (0, [])
    apply(store, [(6, (Put("notes", "a", note("a")),))])
    assert store.get("notes", "a") == note("a")


def test_a_patch_of_an_older_batch_meets_the_stored_document(store):
    apply(store, [(5, (Put("notes", "a", note("a", rank=5)),))])
    apply(store, [(3, (Put("notes", "a", note("a", rank=3)),)), (7, (Patch("notes", "a", {"title": "t"}),))])
    assert store.get("notes", "a") == note("a", rank=5, title="t")


def test_many_documents_in_one_step(store):
    documents = [note(f"{n:04}", rank=n, tags=[{"name": f"t{n % 7}"}], title="many") for n in range(700)]
    put(store, documents)
    assert list(dump(store, "notes")) == documents


def test_documents_of_the_caller_are_not_changed(store):
    document = note("a", tags=[{"name": "x"}])
    put(store, [document])
    apply(store, [(2, (Patch("notes", "a", {"rank": 7}),))])
    assert document == note("a", tags=[{"name": "x"}])


def test_a_write_to_another_models_collection_is_refused(store):
    with pytest.raises(ValueError, match="others"):
        apply(store, [(1, (Put("others", "a", {"id": "a"}),))])


def test_a_prepared_model_begins_at_zero(store):
    assert dict(store.checkpoints()) == {"notes": Checkpoint(), "others": Checkpoint()}


def test_checkpoints_of_several_models_move_in_one_step(store):
    store.apply(
        [
            Change(model="notes", writes=(), checkpoint=Checkpoint(sequence=7, blocked=frozenset({"s"}))),
            Change(model="others", writes=(), checkpoint=Checkpoint(sequence=6)),
        ]
    )
    assert store.checkpoints()["notes"] == Checkpoint(sequence=7, blocked=frozenset({"s"}))
    assert store.checkpoints()["others"] == Checkpoint(sequence=6)


def test_a_step_that_fails_changes_nothing(store):
    good = Change(
        model="others", writes=[(1, (Put("others", "a", {"id": "a"}),))], checkpoint=Checkpoint(sequence=1)
    )
    bad = Change(
        model="notes", writes=[(1, (Put("others", "b", {"id": "b"}),))], checkpoint=Checkpoint(sequence=1)
    )
    with pytest.raises(ValueError, match="others"):
        store.apply([good, bad])
    assert store.get("others", "a") is None
    assert store.checkpoints()["others"].sequence == 0
    store.apply([good])
    assert store.get("others", "a") == {"id": "a"}


def letter(sequence, reason="KeyError: x", model="notes"):
    return DeadLetter(model=model, stream="s", sequence=sequence, topic="note.made", reason=reason)


def test_dead_letters_are_stored_and_solved(store):
    waiting = letter(4, reason=None)
    change = Change(
        model="notes", writes=(), checkpoint=Checkpoint(sequence=4), dead_letters=[waiting, letter(3)]
    )
    store.apply([change])
    store.apply([change])
    store.apply(
        [Change(model="others", writes=(), checkpoint=Checkpoint(), dead_letters=[letter(2, model="others")])]
    )
    assert store.dead_letters() == [letter(2, model="others"), letter(3), waiting]
    store.apply([Change(model="notes", writes=(), checkpoint=Checkpoint(sequence=4), solved=[3])])
    assert store.dead_letters("notes") == [waiting]


def test_preparing_again_keeps_everything(store):
    put(store, [note("a")])
    store.prepare([NOTES, OTHERS])
    assert store.get("notes", "a") == note("a")
    assert store.checkpoints()["notes"].sequence == 1


def test_a_checkpoint_keeps_where_reading_resumes(store):
    checkpoint = Checkpoint(sequence=7, resume_at=b"\x00\xff here")
    store.apply([Change(model="notes", writes=(), checkpoint=checkpoint)])
    store.apply([Change(model="notes", writes=(), checkpoint=Checkpoint(sequence=6, resume_at=b"behind"))])
    assert store.checkpoints()["notes"] == checkpoint
    store.prepare([NOTES, OTHERS])
    assert store.checkpoints()["notes"] == checkpoint


def test_a_failed_letter_may_be_solved_and_fail_again_in_one_step(store):
    again = Change(
        model="notes",
        writes=(),
        checkpoint=Checkpoint(sequence=4),
        dead_letters=[letter(3, "again")],
        solved=[3],
    )
    store.apply(
        [Change(model="notes", writes=(), checkpoint=Checkpoint(sequence=4), dead_letters=[letter(3)])]
    )
    store.apply([again])
    assert store.dead_letters() == [letter(3, "again")]
