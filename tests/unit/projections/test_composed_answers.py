"""Composed answers in memory: never older than a touch, and bounded in number."""

from hypothesis import given
from hypothesis import strategies as st

from projections.queries.composed_answers import ComposedAnswers


def weigh(_):
    return 1


def test_answers_are_bounded_by_bytes():
    """However large the answers are, together they take no more; a very large one is not kept at all."""
    answers = ComposedAnswers(len, most_bytes=1_000)
    composed = []

    def get(key, size):
        return answers.get(key, lambda: composed.append(key) or "x" * size)

    for number in range(10):
        get(f"{number}", 200)
    assert answers._bytes == 1_000
    composed.clear()
    for number in range(5, 10):
        get(f"{number}", 200)
    assert composed == []
    get("large", 251)
    get("large", 251)
    assert composed == ["large", "large"]
    answers.touch(["9", "8"])
    assert answers._bytes == 600
    answers.clear()
    assert answers._bytes == 0


def test_an_answer_that_is_composed_twice_at_once_counts_once():
    answers = ComposedAnswers(len, most_bytes=1_000)
    answers.get("a", lambda: answers.get("a", lambda: "x" * 100) * 2)
    assert answers._bytes == 200


def test_the_oldest_answer_is_dropped_first_even_if_it_is_read():
    answers = ComposedAnswers(weigh, size=2)
    for key in ("a", "b", "a", "c"):
        answers.get(key, lambda key=key: key)
    composed = []
    for key in ("b", "c", "a"):
        answers.get(key, lambda key=key: composed.append(key) or key)
    assert composed == ["a"]


def test_an_answer_that_was_composed_while_its_key_was_touched_is_not_kept():
    answers, store = ComposedAnswers(weigh), {"a": 1}

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
    answers, store = ComposedAnswers(weigh, size=2), dict.fromkeys("abc", 0)
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
