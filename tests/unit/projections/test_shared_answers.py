"""Answers that processes share: never older than a change that the process knows of."""

from hypothesis import given
from hypothesis import strategies as st

from projections.cache import MemoryCache
from projections.queries.shared_answers import SharedAnswers


class Node:
    """A process that composes from a store that all share."""

    def __init__(self, cache, store):
        self.store = store
        self.sequence = 0
        self.composed = 0
        self.answers = SharedAnswers(cache, lambda: {0: self.sequence})

    def hears(self, key, sequence):
        self.answers.touch(None if key is None else {key}, {0: sequence})
        self.sequence = max(self.sequence, sequence)

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


def test_an_entry_of_another_form_is_not_used():
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
    """A value is the sequence of the last write of its key; an answer must include all touches heard of."""
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


PARTITIONED = st.lists(
    st.tuples(
        st.sampled_from(["write", "write accounts", "hear", "hear accounts", "hear all", "ask"]),
        st.integers(0, 1),
        st.sampled_from("ab"),
    ),
    max_size=40,
)
ACCOUNTS = 2
HOMES = {"a": 0, "b": 1}


@given(PARTITIONED)
def test_an_answer_includes_what_was_heard_of_its_partition_and_of_the_accounts(steps):
    """A value holds the last write of its key and that of the accounts, in two partitions."""
    cache, tips = MemoryCache(), {0: 0, 1: 0, ACCOUNTS: 0}
    reached = [dict(tips), dict(tips)]
    nodes = [SharedAnswers(cache, lambda number=number: dict(reached[number])) for number in (0, 1)]
    heard = [{"a": (0, 0), "b": (0, 0)}, {"a": (0, 0), "b": (0, 0)}]
    for step, number, key in steps:
        own = HOMES[key]
        if step in ("write", "write accounts"):
            tips[own if step == "write" else ACCOUNTS] += 1
        elif step == "ask":
            answer = nodes[number].get(
                "project", key, 300, tuple[int, int], lambda own=own: (tips[own], tips[ACCOUNTS])
            )
            assert all(at >= known for at, known in zip(answer, heard[number][key], strict=True))
        else:
            partition = ACCOUNTS if step == "hear accounts" else own
            nodes[number].touch({key} if step == "hear" else None, {partition: tips[partition]})
            reached[number][partition] = tips[partition]
            if step == "hear accounts":
                heard[number] = {name: (at, tips[ACCOUNTS]) for name, (at, _) in heard[number].items()}
            else:
                heard[number][key] = (tips[own], heard[number][key][1])
