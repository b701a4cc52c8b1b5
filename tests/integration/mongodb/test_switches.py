"""What a process sees of the models that another process switches."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from projections.mongodb import schema
from projections.store import Change, Checkpoint, DeadLetter, ModelSwitchedError, NewerModelError, Query
from projections.writes import Put
from tests.contract.projections.samples import MODELS, NOTES, OTHERS, apply, note, put

pytestmark = pytest.mark.integration


def rebuilt(store, model, rank, sequence):
    build = store.begin_rebuild(model)
    build.apply([(sequence, (Put("notes", "a", note("a", rank=rank)),))], sequence)
    build.switch()


def generations(database):
    return sorted(name for name in database.list_collection_names() if name.startswith("notes_v"))


def test_a_switch_is_seen_by_another_process_with_the_checkpoints(new_store):
    here, there = new_store(fresh_seconds=60), new_store()
    put(here, [note("a", rank=1)])
    assert here.get("notes", "a") == note("a", rank=1)
    rebuilt(there, NOTES, 2, 1)
    assert here.get("notes", "a") == note("a", rank=1), "the collection that was live before still exists"
    assert here.checkpoints()["notes"] == Checkpoint(sequence=1)
    assert here.get("notes", "a") == note("a", rank=2)


def test_a_switch_is_seen_by_another_process_at_the_next_query(new_store):
    here, there = new_store(fresh_seconds=0), new_store()
    put(here, [note("a", rank=1)])
    rebuilt(there, NOTES, 2, 1)
    assert here.find(Query(collection="notes")) == [note("a", rank=2)]


def test_a_generation_that_is_no_longer_live_stays_for_a_while(new_store, database):
    store = new_store()
    rebuilt(store, NOTES, 1, 1)
    rebuilt(store, NOTES, 2, 1)
    new_store()
    assert generations(database) == ["notes_v1_g1", "notes_v1_g2", "notes_v1_g3"]
    long_ago = datetime.now(UTC) - timedelta(seconds=schema.GRACE_SECONDS + 60)
    database[schema.RETIRED].update_many({}, {"$set": {"at": long_ago}})
    new_store()
    assert generations(database) == ["notes_v1_g3"]
    assert store.get("notes", "a") == note("a", rank=2)


def test_a_rebuild_under_way_survives_the_start_of_another_process(new_store, database):
    store = new_store()
    build = store.begin_rebuild(NOTES)
    build.apply([(1, (Put("notes", "a", note("a")),))], 1)
    new_store()
    build.switch()
    assert store.get("notes", "a") == note("a")


def test_a_rebuild_is_refused_if_a_worker_of_another_process_is_ahead(new_store):
    worker, operator = new_store(), new_store()
    build = operator.begin_rebuild(NOTES)
    build.apply([(1, (Put("notes", "a", note("a")),))], 1)
    put(worker, [note("a"), note("b")])
    with pytest.raises(ValueError, match="live"):
        build.switch()
    build.apply([(2, (Put("notes", "b", note("b")),))], 2, b"there")
    build.switch()
    assert worker.checkpoints()["notes"] == Checkpoint(sequence=2, resume_at=b"there")


def test_a_rebuild_of_another_process_ends_the_one_before(new_store):
    first = new_store().begin_rebuild(NOTES)
    second = new_store().begin_rebuild(NOTES)
    with pytest.raises(ValueError, match="ended"):
        first.apply((), 1)
    with pytest.raises(ValueError, match="ended"):
        first.switch()
    first.cancel()
    second.switch()


def test_processes_that_prepare_at_once_agree(new_store):
    stores, barrier = [], threading.Barrier(4)

    def start():
        barrier.wait()
        stores.append(new_store((replace(NOTES, version=3), OTHERS)))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 4
    put(stores[0], [note("a")])
    assert [store.checkpoints()["notes"].sequence for store in stores] == [1] * 4
    assert [store.get("notes", "a") for store in stores] == [note("a")] * 4


def test_an_older_process_reads_what_a_newer_one_owns_and_does_not_write_it(new_store):
    newer = new_store([replace(NOTES, version=2)])
    put(newer, [note("a")])
    older = new_store(MODELS)
    assert older.checkpoints()["notes"] == Checkpoint(sequence=1)
    assert older.get("notes", "a") == note("a")
    with pytest.raises(NewerModelError):
        apply(older, [(2, (Put("notes", "b", note("b")),))])
    with pytest.raises(NewerModelError):
        older.begin_rebuild(NOTES)
    older.apply([Change(model="others", writes=(), checkpoint=Checkpoint(sequence=2))])
    assert newer.count("notes") == 1


def test_a_running_process_stops_writing_when_a_newer_one_takes_over(new_store):
    older = new_store(fresh_seconds=60)
    put(older, [note("a")])
    new_store([replace(NOTES, version=2)])
    for _ in range(2):
        with pytest.raises(NewerModelError):
            put(older, [note("b")], start=2)


def test_each_partition_learns_of_a_switch(new_store):
    """Workers of one process share a store: each driver must learn of a switch by itself."""
    here, there = new_store(fresh_seconds=0), new_store()

    def step(partition, sequence):
        writes = [(sequence, (Put("notes", f"{partition}", note(f"{partition}")),))]
        checkpoint = Checkpoint(sequence=sequence)
        here.apply([Change(model="notes", writes=writes, checkpoint=checkpoint, partition=partition)])

    here.checkpoints(1)
    step(0, 1)
    build = there.begin_rebuild(NOTES)
    build.apply([], 1)
    build.switch()
    for partition in (0, 1):
        with pytest.raises(ModelSwitchedError):
            step(partition, 2)
        step(partition, 2)
    assert [here.checkpoints(partition)["notes"].sequence for partition in (0, 1)] == [2, 2]


def test_an_entry_of_one_partition_serves_several(new_store, database):
    """What an earlier release stored names no other partitions, neither for models nor for dead letters."""
    store = new_store()
    letter = DeadLetter(model="notes", stream="s", sequence=3, topic="t", reason="r")
    blocked = Checkpoint(sequence=3, blocked=frozenset({"s"}))
    store.apply([Change(model="notes", writes=(), checkpoint=blocked, dead_letters=[letter])])
    database["aliases"].update_many({}, {"$unset": {"others": 1}})
    assert "partition" not in database["dead_letters"].find_one()
    later = new_store()
    assert (later.checkpoints()["notes"], later.checkpoints(2)["notes"]) == (blocked, Checkpoint())
    later.apply([Change(model="notes", writes=(), checkpoint=Checkpoint(sequence=4), partition=2)])
    assert (later.checkpoints()["notes"], later.checkpoints(2)["notes"].sequence) == (blocked, 4)
    assert later.dead_letters() == [letter]
    build = later.begin_rebuild(NOTES)
    build.apply([], 3)
    with pytest.raises(ValueError, match="live"):
        build.switch()
    build.apply([], 4, b"", 2)
    build.switch()
    assert later.dead_letters() == []
