"""Rebuilding a model next to the live one, and new versions."""

import threading

import pytest
from msgspec.structs import replace

from projections.store import Change, Checkpoint, DeadLetter, Query
from projections.writes import Put
from tests.support.documents import dump

from .samples import NOTES, apply, note, put


def puts(documents, start=1):
    return [(at, (Put("notes", d["id"], d),)) for at, d in enumerate(documents, start=start)]


def test_readers_see_the_live_model_until_the_switch(store):
    put(store, [note("a", rank=1)])
    build = store.begin_rebuild(NOTES)
    build.apply(puts([note("a", rank=2)]), 1)
    assert store.get("notes", "a") == note("a", rank=1)
    build.switch()
    assert store.get("notes", "a") == note("a", rank=2)


def test_the_live_model_continues_meanwhile(store):
    put(store, [note("a")])
    build = store.begin_rebuild(NOTES)
    put(store, [note("b")], start=2)
    build.apply(puts([note("a")]), 1)
    assert [d["id"] for d in dump(store, "notes")] == ["a", "b"]
    build.apply(puts([note("b")], start=2), 2)
    build.switch()
    put(store, [note("c")], start=3)
    assert [d["id"] for d in dump(store, "notes")] == ["a", "b", "c"]
    assert store.checkpoints()["notes"] == Checkpoint(sequence=3)


def test_a_rebuild_behind_the_live_model_does_not_switch(store):
    put(store, [note("a"), note("b")])
    build = store.begin_rebuild(NOTES)
    build.apply(puts([note("a")]), 1)
    with pytest.raises(ValueError, match="live"):
        build.switch()
    assert store.count("notes") == 2


def test_the_switch_unblocks_streams_and_drops_dead_letters(store):
    letter = DeadLetter(model="notes", stream="s", sequence=1, topic="t", reason="r")
    blocked = Checkpoint(sequence=1, blocked=frozenset({"s"}))
    store.apply([Change(model="notes", writes=(), checkpoint=blocked, dead_letters=[letter])])
    build = store.begin_rebuild(NOTES)
    build.apply((), 1)
    assert store.dead_letters() == [letter]
    build.switch()
    assert store.dead_letters() == []
    assert store.checkpoints()["notes"] == Checkpoint(sequence=1)


def test_a_cancelled_rebuild_leaves_the_live_model(store):
    put(store, [note("a")])
    build = store.begin_rebuild(NOTES)
    build.apply(puts([note("b")]), 1)
    build.cancel()
    build.cancel()
    assert [d["id"] for d in dump(store, "notes")] == ["a"]
    with pytest.raises(ValueError, match="ended"):
        build.switch()


def test_cancelling_after_the_switch_does_nothing(store):
    build = store.begin_rebuild(NOTES)
    build.apply(puts([note("a")]), 1)
    build.switch()
    build.cancel()
    assert store.count("notes") == 1


def test_a_new_rebuild_drops_the_unfinished_one(store):
    first = store.begin_rebuild(NOTES)
    first.apply(puts([note("old")]), 1)
    second = store.begin_rebuild(NOTES)
    second.apply(puts([note("new")]), 1)
    with pytest.raises(ValueError, match="ended"):
        first.apply((), 2)
    second.switch()
    assert [d["id"] for d in dump(store, "notes")] == ["new"]


def test_a_new_version_begins_empty(store):
    put(store, [note("a")])
    changed = replace(NOTES, version=2)
    store.prepare([changed])
    assert store.checkpoints()["notes"] == Checkpoint()
    assert list(dump(store, "notes")) == []
    apply(store, puts([note("a", rank=2)]))
    assert list(dump(store, "notes")) == [note("a", rank=2)]


def test_a_rebuild_of_a_new_version_replaces_the_old_one(store):
    put(store, [note("a")])
    changed = replace(NOTES, version=2)
    build = store.begin_rebuild(changed)
    build.apply(puts([note("a", rank=2)]), 1)
    build.switch()
    store.prepare([changed])
    assert list(dump(store, "notes")) == [note("a", rank=2)]


def test_no_reader_sees_a_half_built_model(store):
    """Each rebuild writes its number into all notes; a reader must always find all notes with one number."""
    many, builds = 40, 12
    put(store, [note(f"{n:02}", rank=0) for n in range(many)])
    seen, failures, ended = [], [], threading.Event()

    def read():
        try:
            while not ended.is_set():
                ranks = {d["rank"] for d in store.find(Query(collection="notes", sort="rank", limit=100))}
                seen.append((store.count("notes"), ranks))
        except Exception as error:  # noqa: BLE001 # the test reports it
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, builds + 1):
        build = store.begin_rebuild(NOTES)
        build.apply(puts([note(f"{n:02}", rank=number) for n in range(many // 2)]), many // 2)
        build.apply(puts([note(f"{n:02}", rank=number) for n in range(many // 2, many)], many // 2 + 1), many)
        build.switch()
    ended.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert all(count == many and len(ranks) == 1 for count, ranks in seen)


def test_the_switch_keeps_where_reading_resumes(store):
    build = store.begin_rebuild(NOTES)
    build.apply((), 2, b"there")
    build.apply((), 1, b"before")
    build.switch()
    assert store.checkpoints()["notes"] == Checkpoint(sequence=2, resume_at=b"there")
