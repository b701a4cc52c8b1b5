"""Composed answers in memory: never older than a touch, and bounded in number."""

from hypothesis import given
from hypothesis import strategies as st

from projections.queries.composed_answers import ComposedAnswers


def test_the_oldest_answer_is_dropped_first_even_if_it_is_read():
    answers = ComposedAnswers(size=2)
    for key in ("a", "b", "a", "c"):
        answers.get(key, lambda key=key: key)
    composed = []
    for key in ("b", "c", "a"):
        answers.get(key, lambda key=key: composed.append(key) or key)
    assert composed == ["a"]


def test_an_answer_that_was_composed_while_its_key_was_touched_is_not_kept():
    answers, store = ComposedAnswers(), {"a": 1}

    def compose():
        read = store["a"]
        store["a"] = 2
        answers.touch(["a"])
        return read

    assert answers.get("a", compose) == 1
    assert answers.get("a", lambda: store["a"]) == 2


STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "touch all", "get", "get many"]), st.sampled_from("abc"))
)


@given(STEPS)
def test_no_answer_is_older_than_the_last_touch(steps):
    answers, store = ComposedAnswers(size=2), dict.fromkeys("abc", 0)
    for step, key in steps:
        if step == "get":
            assert answers.get(key, lambda key=key: store[key]) == store[key]
        elif step == "get many":
            keys = sorted({"a", key})
            since = answers.moment
            assert answers.get_many(keys, since, lambda keys: {k: store[k] for k in keys}) == {
                k: store[k] for k in keys
            }
        else:
            store[key] += 1
            if step == "write":
                answers.touch([key])
            else:
                answers.clear()
