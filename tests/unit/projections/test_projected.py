"""What a node concludes from the messages of workers and from the store."""

import msgspec
import pytest

from projections.progress import Progress
from projections.redis.progress import MANY_HOMES, Heard, Projected, projected
from projections.store import Checkpoint


class Node:
    def __init__(self) -> None:
        self.progress = Progress()
        self.touched: list[set[str] | None] = []
        self.heard = Heard(self.progress, lambda homes, _, __: self.touched.append(homes))


@pytest.fixture
def node() -> Node:
    return Node()


def message(after: int, upto: int, *homes: str, blocked: str | None = None) -> Projected:
    checkpoint = Checkpoint(sequence=upto, blocked=frozenset({blocked} if blocked else ()))
    return projected("projections", 0, after, upto, homes, {"projects": checkpoint})


def test_the_first_message_touches_all_and_the_next_its_homes(node: Node) -> None:
    node.heard.message(message(5, 7, "a"))
    node.heard.message(message(7, 9, "b", "c"))
    assert node.touched == [None, {"b", "c"}]
    assert node.progress.sequence("projects") == 9


def test_a_missing_message_touches_all(node: Node) -> None:
    node.heard.message(message(0, 7, "a"))
    node.heard.message(message(8, 9, "b"))
    assert node.touched == [None, None]


def test_a_repeated_batch_touches_its_homes(node: Node) -> None:
    node.heard.message(message(0, 7, "a"))
    node.heard.message(message(3, 7, "a"))
    assert node.touched == [None, {"a"}]


def test_many_homes_are_all(node: Node) -> None:
    many = message(0, 7, *(str(number) for number in range(MANY_HOMES + 1)))
    assert many.homes is None


def test_groups_have_counts_of_their_own(node: Node) -> None:
    node.heard.message(message(0, 7, "a"))
    other = Projected(
        group="insights", partition=0, after=3, upto=4, homes=("a",), models={"insights": 4}, blocked={}
    )
    node.heard.message(other)
    node.heard.message(message(7, 8, "b"))
    assert node.touched == [None, None, {"b"}]
    assert node.progress.models() == {"projects": 8, "insights": 4}


def test_blocked_streams_are_reported_and_lifted(node: Node) -> None:
    node.heard.message(message(0, 1, "a", blocked="project-a"))
    assert node.progress.blocked("projects") == {"project-a"}
    node.heard.message(message(1, 2, "a"))
    assert node.progress.blocked("projects") == frozenset()


def test_what_had_no_message_is_found_in_the_store_with_the_second_look(node: Node) -> None:
    stored = {"projects": Checkpoint(sequence=5)}
    node.heard.stored(stored, at_once=False)
    assert node.touched == []  # its message may be under way
    node.heard.stored(stored, at_once=False)
    assert node.touched == [None]
    assert node.progress.sequence("projects") == 5
    node.heard.stored(stored, at_once=False)
    assert node.touched == [None]


def test_without_a_channel_the_store_counts_at_once(node: Node) -> None:
    node.heard.stored({"projects": Checkpoint(sequence=5, blocked=frozenset({"s"}))}, at_once=True)
    assert node.touched == [None]
    assert node.progress.sequence("projects") == 5
    assert node.progress.blocked("projects") == {"s"}


def test_a_model_that_began_anew_is_reported_with_the_second_look(node: Node) -> None:
    node.heard.message(message(0, 9, "a"))
    node.heard.stored({"projects": Checkpoint(sequence=9)}, at_once=False)
    node.heard.stored({"projects": Checkpoint(sequence=0)}, at_once=False)
    assert node.progress.sequence("projects") == 9
    node.heard.stored({"projects": Checkpoint(sequence=0)}, at_once=False)
    assert node.progress.sequence("projects") == 0


def test_a_late_message_takes_nothing_back(node: Node) -> None:
    node.heard.message(message(0, 9, "a"))
    node.heard.message(message(3, 5, "b"))
    assert node.progress.sequence("projects") == 9
    assert node.touched[-1] == {"b"}


def test_a_message_survives_the_wire() -> None:
    sent = message(5, 7, "a", blocked="s")
    assert msgspec.json.decode(msgspec.json.encode(sent), type=Projected) == sent
