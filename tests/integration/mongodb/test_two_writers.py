"""Several workers that write the same events at the same time."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.mongodb.model_registry import ModelRegistry
from projections.store import Change, Checkpoint, DeadLetter, ModelSwitchedError, StoreUnavailableError
from projections.writes import Delete, Patch, Put, SetItem
from tests.contract.projections.samples import NOTES, apply, dumps, expected, histories, note
from tests.support.proof import size

pytestmark = pytest.mark.integration


def history_of(events, documents=12):
    """Every document is put, changed, deleted and put again, several times."""
    steps = [
        lambda id_, at: Put("notes", id_, note(id_, rank=at)),
        lambda id_, at: Patch("notes", id_, {"title": f"red {at}"}),
        lambda id_, at: SetItem("notes", id_, "tags", "name", {"name": "xyz"[at % 3], "n": at}, {"rank": at}),
        lambda id_, at: SetItem("notes", id_, "tags", "name", {"name": "x", "n": -at}),
        lambda id_, at: Delete("notes", id_) if at % 5 == 0 else Patch("notes", id_, {"text": "fox"}),
    ]
    return [
        (at, (steps[(at // documents) % len(steps)](f"n{at % documents}", at),))
        for at in range(1, events + 1)
    ]


def together(*works):
    barrier, failures = threading.Barrier(len(works)), []

    def run(work):
        barrier.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 # the test reports it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def in_batches(store, history, size, back=0):
    for start in range(0, len(history), size):
        apply(store, history[max(start - back, 0) : start + size])


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
def test_the_same_events_by_three_workers_are_applied_once(new_store, cache_bytes):
    history = history_of(600)
    stores = [new_store(cache_bytes=cache_bytes) for _ in range(3)]
    together(
        lambda: in_batches(stores[0], history, 20),
        lambda: in_batches(stores[1], history, 35, back=60),
        lambda: in_batches(stores[2], history, 7),
    )
    for store in stores:
        assert dumps(store) == expected(history)
        assert store.checkpoints()["notes"].sequence == len(history)


def test_a_worker_that_begins_again_does_not_disturb_one_that_is_ahead(new_store):
    history = history_of(400)
    ahead, behind = new_store(), new_store()
    in_batches(ahead, history[:200], 50)
    together(lambda: in_batches(ahead, history[200:], 10), lambda: in_batches(behind, history[:200], 10))
    assert dumps(behind) == expected(history)
    assert behind.checkpoints()["notes"].sequence == len(history)


@settings(
    max_examples=size(25, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories, cuts=st.lists(st.integers(0, 25), min_size=1, max_size=4))
def test_two_workers_in_any_order_of_batches_give_the_same(new_store, database, history, cuts):
    for name in database.list_collection_names():
        database.drop_collection(name)
    first, second = new_store(), new_store()
    for at, cut in enumerate(sorted(cuts)):
        apply((first, second)[at % 2], history[:cut])
    apply(first, history)
    apply(second, history)
    assert dumps(first) == dumps(second) == expected(history)


def test_a_crash_before_the_checkpoint_is_mended_by_a_repetition(new_store, monkeypatch):
    history = history_of(40)
    letter = DeadLetter(model="notes", stream="s", sequence=40, topic="t", reason="KeyError: x")
    change = Change(
        model="notes",
        writes=history,
        checkpoint=Checkpoint(sequence=40, blocked=frozenset({"s"})),
        dead_letters=[letter],
    )
    store = new_store()
    with monkeypatch.context() as crash:
        crash.setattr(ModelRegistry, "move", _away)
        with pytest.raises(StoreUnavailableError):
            store.apply([change])
    after = new_store()
    assert after.checkpoints()["notes"] == Checkpoint()
    assert after.dead_letters() == [letter]
    assert dumps(after) == expected(history)
    after.apply([change])
    assert dumps(after) == expected(history)
    assert after.checkpoints()["notes"] == change.checkpoint
    assert after.dead_letters() == [letter]


def test_a_crash_between_documents_is_mended_by_a_repetition(new_store, monkeypatch):
    history = [
        (at, (Put("notes", f"{at}", note(f"{at}")), Put("drafts", f"{at}", {"id": f"{at}"})))
        for at in range(1, 30)
    ]
    store = new_store()
    drafts = store._generations["notes"]._writers["drafts"]
    with monkeypatch.context() as crash:
        crash.setattr(drafts, "write", _away)
        with pytest.raises(StoreUnavailableError):
            apply(store, history)
    assert (store.count("notes"), store.count("drafts")) == (29, 0)
    assert store.checkpoints()["notes"].sequence == 0
    apply(store, history)
    assert dumps(store) == expected(history)


def _away(*_):
    raise StoreUnavailableError("away")


def test_a_worker_that_writes_during_a_switch_learns_of_it_and_continues(new_store):
    history = history_of(60)
    worker, operator = new_store(fresh_seconds=60), new_store()
    apply(worker, history[:20])
    build = operator.begin_rebuild(NOTES)
    build.apply(history[:30], 30)
    apply(worker, history[20:30])
    build.switch()
    with pytest.raises(ModelSwitchedError):
        apply(worker, history[30:40])
    assert worker.checkpoints()["notes"].sequence == 30
    apply(worker, history[30:])
    assert dumps(worker) == dumps(operator) == expected(history)
