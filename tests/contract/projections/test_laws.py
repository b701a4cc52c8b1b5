"""What holds for every history, in whatever batches it reaches the store."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from projections.store import Equals, Matches, Query

from .samples import LAWS, NOTES, apply, dumps, expected, histories


@LAWS
@given(history=histories)
def test_one_batch_gives_what_the_writes_say(new_store, history):
    with new_store() as store:
        apply(store, history)
        assert dumps(store) == expected(history)


@LAWS
@given(history=histories, cuts=st.lists(st.integers(0, 25), max_size=6))
def test_any_split_into_batches_gives_the_same(new_store, history, cuts):
    with new_store() as store:
        for start, end in pairwise(sorted({0, len(history), *(min(cut, len(history)) for cut in cuts)})):
            apply(store, history[start:end])
        assert dumps(store) == expected(history)


@LAWS
@given(history=histories)
def test_applying_twice_equals_once(new_store, history):
    with new_store() as store:
        apply(store, history)
        apply(store, history)
        assert dumps(store) == expected(history)


@LAWS
@given(history=histories, data=st.data())
def test_redelivery_of_what_came_before_changes_nothing(new_store, history, data):
    with new_store() as store:
        applied = 0
        while applied < len(history):
            end = data.draw(st.integers(applied + 1, len(history)), label="end")
            apply(store, history[data.draw(st.integers(0, applied), label="again from") : end])
            applied = end
        apply(store, history[: data.draw(st.integers(0, len(history)), label="prefix")])
        assert dumps(store) == expected(history)
        assert store.checkpoints()["notes"].sequence == len(history)


@LAWS
@given(history=histories, cut=st.integers(0, 25))
def test_a_rebuild_equals_the_live_model(new_store, history, cut):
    with new_store() as store:
        apply(store, history)
        build = store.begin_rebuild(NOTES)
        build.apply(history[:cut], min(cut, len(history)))
        build.apply(history, len(history))
        build.switch()
        assert dumps(store) == expected(history)
        assert _answers(store) == _naive_answers(expected(history)["notes"])


@LAWS
@given(history=histories, cut=st.integers(0, 25))
def test_lists_and_searches_follow_the_documents(new_store, history, cut):
    with new_store() as store:
        apply(store, history[:cut])
        apply(store, history)
        assert _answers(store) == _naive_answers(expected(history)["notes"])
        assert store.count("notes") == len(expected(history)["notes"])


def _answers(store):
    conditions = [Equals("tags.name", "x"), Matches("fox"), Matches("naiv"), Equals("group", "a")]
    return [[d["id"] for d in store.find(Query(collection="notes", where=(c,)))] for c in conditions]


def _naive_answers(documents):
    tests = [
        lambda d: any(tag["name"] == "x" for tag in d["tags"]),
        lambda d: "fox" in d["title"].lower(),
        lambda d: d["title"] == "naïve",
        lambda d: d["group"] == "a",
    ]
    return [[d["id"] for d in documents if test(d)] for test in tests]
