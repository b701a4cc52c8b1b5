"""What a node concludes from the messages of workers and from the store."""

import msgspec
import pytest

from projections.progress import Progress
from projections.redis.progress import MANY_HOMES, ProgressTracker, ProjectedBatch, batch_message
from projections.store import Checkpoint


class Node:
    def __init__(self) -> None:
        self.progress = Progress()
        self.touched: list[set[str] | None] = []
        self.tracker = ProgressTracker(self.progress, lambda homes, _, __: self.touched.append(homes))

    def hear(self, message: ProjectedBatch) -> None:
        self.tracker.take_message(message)

    def poll(self, sequence: int, *, at_once: bool = False, blocked: str | None = None) -> None:
        checkpoint = Checkpoint(sequence=sequence, blocked=frozenset({blocked} if blocked else ()))
        self.tracker.take_checkpoints({"projects": checkpoint}, at_once=at_once)


@pytest.fixture
def node() -> Node:
    return Node()


def message(after: int, through: int, *homes: str, blocked: str | None = None) -> ProjectedBatch:
    checkpoint = Checkpoint(sequence=through, blocked=frozenset({blocked} if blocked else ()))
    return batch_message("projections", 0, after, through, homes, {"projects": checkpoint})


def test_the_first_message_touches_all_and_the_next_its_homes(node: Node) -> None:
    node.hear(message(5, 7, "a"))
    node.hear(message(7, 9, "b", "c"))
    assert node.touched == [None, {"b", "c"}]
    assert node.progress.sequence("projects") == 9


def test_a_missing_message_touches_all(node: Node) -> None:
    node.hear(message(0, 7, "a"))
    node.hear(message(8, 9, "b"))
    assert node.touched == [None, None]


def test_a_repeated_batch_touches_its_homes(node: Node) -> None:
    node.hear(message(0, 7, "a"))
    node.hear(message(3, 7, "a"))
    assert node.touched == [None, {"a"}]


def test_many_homes_are_all(node: Node) -> None:
    many = message(0, 7, *(str(number) for number in range(MANY_HOMES + 1)))
    assert many.homes is None


def test_groups_have_counts_of_their_own(node: Node) -> None:
    node.hear(message(0, 7, "a"))
    other = ProjectedBatch(
        group="insights", partition=0, after=3, through=4, homes=("a",), models={"insights": 4}, blocked={}
    )
    node.hear(other)
    node.hear(message(7, 8, "b"))
    assert node.touched == [None, None, {"b"}]
    assert node.progress.models() == {"projects": 8, "insights": 4}


def test_blocked_streams_are_reported_and_unblocked(node: Node) -> None:
    node.hear(message(0, 1, "a", blocked="project-a"))
    assert node.progress.blocked("projects") == {"project-a"}
    node.hear(message(1, 2, "a"))
    assert node.progress.blocked("projects") == frozenset()


def test_a_batch_without_a_message_is_found_at_the_second_look_into_the_store(node: Node) -> None:
    node.poll(5)
    assert node.touched == []  # its message may be on its way
    node.poll(5)
    assert node.touched == [None]
    assert node.progress.sequence("projects") == 5
    node.poll(5)
    assert node.touched == [None]


def test_without_a_channel_the_store_counts_at_once(node: Node) -> None:
    node.poll(5, at_once=True, blocked="s")
    assert node.touched == [None]
    assert node.progress.sequence("projects") == 5
    assert node.progress.blocked("projects") == {"s"}


def test_a_model_that_began_again_is_reported_at_the_second_look(node: Node) -> None:
    node.hear(message(0, 9, "a"))
    node.poll(9)
    node.poll(0)
    assert node.progress.sequence("projects") == 9
    node.poll(0)
    assert node.progress.sequence("projects") == 0


def test_a_late_message_takes_nothing_back(node: Node) -> None:
    node.hear(message(0, 9, "a"))
    node.hear(message(3, 5, "b"))
    assert node.progress.sequence("projects") == 9
    assert node.touched[-1] == {"b"}


def test_a_message_survives_the_wire() -> None:
    sent = message(5, 7, "a", blocked="s")
    assert msgspec.json.decode(msgspec.json.encode(sent), type=ProjectedBatch) == sent


def test_the_names_on_the_wire_are_those_of_earlier_releases() -> None:
    assert msgspec.json.decode(msgspec.json.encode(message(5, 7, "a", blocked="s"))) == {
        "group": "projections",
        "partition": 0,
        "after": 5,
        "upto": 7,
        "homes": ["a"],
        "models": {"projects": 7},
        "blocked": {"projects": ["s"]},
    }
