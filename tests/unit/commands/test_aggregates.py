"""Kinds of streams: a snapshot is read as long as the fields of the state are the same."""

from enum import StrEnum

import pytest
from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap

from commands.aggregates import (
    STREAM_KINDS,
    decode_state,
    encode_state,
    kind_of,
    snapshot_topic,
    state_digest,
)
from commands.log import Snapshot
from commands.unit_of_work import load
from domain.commit import decider as commit
from domain.project import decider as project


class Inner(Struct):
    """A part of a state."""

    size: int


class State(Struct):
    """A state."""

    name: str
    description: str
    inner: dict[str, Inner]


def digest(state, revision=1):
    return state_digest(state, revision)


def test_a_digest_does_not_change_with_prose():
    class Inner(Struct):
        """Other words."""

        size: int

    class State(Struct):
        """Also other words."""

        name: str
        description: str
        inner: dict[str, Inner]

    assert digest(State) == digest(globals()["State"])


def test_a_digest_is_the_same_in_every_process_and_release():
    assert digest(State) == 2998913378


@pytest.mark.parametrize("changed", ["added", "removed", "renamed", "typed", "nested", "optional"])
def test_a_digest_changes_with_the_fields(changed):
    class Deeper(Struct):
        size: int
        deeper: bool

    class Added(State):
        more: int

    class Removed(Struct):
        name: str
        description: str

    class Renamed(Struct):
        name: str
        text: str
        inner: dict[str, Inner]

    class Typed(Struct):
        name: str
        description: int
        inner: dict[str, Inner]

    class Nested(Struct):
        name: str
        description: str
        inner: dict[str, Deeper]

    class Optional(Struct):
        name: str
        description: str | None
        inner: dict[str, Inner]

    assert digest(locals()[changed.capitalize()]) != digest(State)


def test_a_digest_changes_with_the_values_of_an_enum_and_with_the_revision():
    def with_values(*values):
        class Colour(StrEnum):
            RED = values[0]
            BLUE = values[1]

        class Painted(Struct):
            colour: Colour

        return digest(Painted)

    assert with_values("r", "b") == with_values("r", "b") != with_values("r", "blue")
    assert digest(State, 2) != digest(State)


class LogWithSnapshot:
    """A log that holds one snapshot and no events after it."""

    def __init__(self, snapshot):
        self._snapshot = snapshot

    def snapshot(self, stream):
        return self._snapshot if self._snapshot.stream == stream else None

    def stream_events(self, stream, after):
        return ()


STATE = replace(project.INITIAL, exists=True, name="Park", owner_id="a1")


@pytest.mark.parametrize(
    ("topic", "data", "version"),
    [
        (snapshot_topic("project-1"), encode_state(STATE), 9),
        ("project.state.v1", encode_state(STATE), 0),  # as written before the digest
        (snapshot_topic("review-1"), encode_state(STATE), 0),
        (snapshot_topic("project-1"), b"\x80", 0),
    ],
)
def test_only_a_snapshot_of_the_same_fields_is_read(topic, data, version):
    log = LogWithSnapshot(Snapshot(stream="project-1", version=9, topic=topic, state=data))
    loaded = load(log, "project-1")
    assert loaded.version == loaded.snapshot == version
    assert loaded.state == (STATE if version else project.INITIAL)


def test_a_set_survives_a_snapshot():
    state = replace(commit.INITIAL, count=2, shas=HashTrieMap({"b": b"2", "a": b"1"}))
    assert decode_state(encode_state(state), STREAM_KINDS["commits"]) == state
    with pytest.raises(TypeError, match="cannot hold"):
        encode_state(object())


def test_kinds_that_hold_personal_data_have_no_snapshots():
    """A snapshot is not encrypted: it would be readable after the person's key is destroyed."""
    assert not any(STREAM_KINDS[name].snapshots for name in ("account", "credentials", "token"))


def test_a_stream_begins_with_its_kind():
    assert kind_of("project-1") is STREAM_KINDS["project"]
    with pytest.raises(KeyError):
        kind_of("nobody-1")
