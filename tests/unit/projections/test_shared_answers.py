"""Answers that processes share: never older than what a process knows to have changed."""

from hypothesis import given
from hypothesis import strategies as st

from projections.cache import MemoryCache
from projections.queries.shared import SharedAnswers


class Node:
    """A process that composes from a store that all share."""

    def __init__(self, cache, store):
        self.store = store
        self.sequence = 0
        self.composed = 0
        self.answers = SharedAnswers(cache, lambda: {0: self.sequence})

    def hears(self, key, upto):
        self.answers.touch(None if key is None else {key}, {0: upto})
        self.sequence = max(self.sequence, upto)

    def ask(self, key):
        return self.answers.get("project", key, 300, int, lambda: self._compose(key))

    def _compose(self, key):
        self.composed += 1
        return self.store[key]


def test_one_process_composes_for_all():
    cache, store = MemoryCache(), {"a": 0}
    first, second = Node(cache, store), Node(cache, store)
    assert (first.ask("a"), second.ask("a"), second.composed) == (0, 0, 0)


def test_an_entry_from_before_a_touch_does_not_answer():
    cache, store = MemoryCache(), {"a": 0}
    first, second = Node(cache, store), Node(cache, store)
    first.ask("a")
    store["a"] = 5
    second.hears("a", 5)
    assert second.ask("a") == 5


def test_a_process_takes_nothing_from_before_it_listened():
    cache, store = MemoryCache(), {"a": 0}
    Node(cache, store).ask("a")
    store["a"] = 5
    late = Node(cache, store)
    late.sequence = 5
    assert late.ask("a") == 5


def test_an_entry_of_another_form_is_composed_anew():
    cache = MemoryCache()
    cache.put("project:a", b"\xc1", 300)
    assert Node(cache, {"a": 3}).ask("a") == 3


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "hear", "ask", "hear all"]), st.integers(0, 1), st.sampled_from("ab")
    ),
    max_size=40,
)


@given(STEPS)
def test_no_answer_is_older_than_what_its_process_has_heard_of(steps):
    """A value is the sequence of the last write of its key: an answer must include every touch that was heard."""
    cache, store, tip = MemoryCache(), {"a": 0, "b": 0}, 0
    nodes = [Node(cache, store), Node(cache, store)]
    heard = [{"a": 0, "b": 0}, {"a": 0, "b": 0}]
    for step, number, key in steps:
        if step == "write":
            tip += 1
            store[key] = tip
        elif step == "hear":
            nodes[number].hears(key, tip)
            heard[number][key] = store[key]
        elif step == "hear all":
            nodes[number].hears(None, tip)
            heard[number] = dict(store)
        else:
            assert nodes[number].ask(key) >= heard[number][key]
