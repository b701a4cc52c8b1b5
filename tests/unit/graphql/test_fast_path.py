"""The short way gives what the long way gives, errors included."""

from types import SimpleNamespace

import graphene
import pytest
from graphql import execute, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from read_api.graphql import types
from read_api.graphql.fast_path import PlainExecution
from tests.support.proof import size

PROJECT = {
    "id": "1",
    "name": "Loom",
    "description": "",
    "visibility": "public",
    "language": None,
    "ownerId": "a",
    "owner": {"id": "a", "name": "Ada"},
    "collaborators": [
        {"id": "b", "name": "Bob", "role": "viewer"},
        {"id": "c", "name": "Cy", "role": "editor"},
    ],
    "aiInsights": {"complexity": 3, "suggestions": ["Split it.", "Shorten it."]},
    "version": 7,
    "createdAt": "2024-05-01T10:00:00.000Z",
    "updatedAt": "2024-05-01T10:00:00.000Z",
}
LEAVES = [
    "id",
    "name",
    "description",
    "visibility",
    "language",
    "ownerId",
    "version",
    "createdAt",
    "__typename",
]


def asked(documents, query, *, short):
    fields = {
        "projects": graphene.Field(
            graphene.List(graphene.NonNull(types.Project)), resolver=lambda *_: documents
        )
    }
    schema = graphene.Schema(
        type("Query", (graphene.ObjectType,), fields), auto_camelcase=False
    ).graphql_schema
    shapes = {} if short else None
    found = execute(
        schema, parse(query), None, SimpleNamespace(shapes=shapes), execution_context_class=PlainExecution
    )
    if short and not found.errors:
        assert any(shapes.values()), "nothing took the short way"
    return found


def selection(leaves, objects):
    leaf = st.sampled_from(leaves)
    named = st.one_of(
        leaf, st.builds(lambda name, alias: f"{alias}: {name}", leaf, st.sampled_from(["x", "y"]))
    )
    return st.lists(st.one_of(named, *objects), min_size=1, max_size=6).map(" ".join)


people = selection(["id", "name", "role", "__typename"], [])
selections = selection(
    LEAVES,
    [
        people.map(lambda inner: f"collaborators {{ {inner} }}"),
        st.sampled_from(
            ["owner { id name }", "owner { name } owner { id }", "aiInsights { complexity suggestions }"]
        ),
        selection(LEAVES, []).map(lambda inner: f"... on Project {{ {inner} }}"),
    ],
)


@settings(max_examples=size(150, 3_000), deadline=None)
@given(selections)
def test_both_ways_give_the_same(inner):
    query = f"{{ projects {{ {inner} }} }}"
    try:
        long = asked([PROJECT, PROJECT], query, short=False)
    except Exception:  # noqa: BLE001 # the same alias for two fields: validation would have refused it
        return
    short = asked([PROJECT, PROJECT], query, short=True)
    assert (short.data, short.errors) == (long.data, long.errors)
    assert str(short.data) == str(long.data), "in the same order"


@pytest.mark.parametrize(
    "odd",
    [
        {"name": None},
        {"name": 3},
        {"visibility": "secret"},
        {"version": "x"},
        {"version": 2**40},
        {"version": True},
        {"collaborators": None},
        {"collaborators": [None]},
        {"collaborators": "x"},
        {"collaborators": [{"id": "b"}]},
        {"aiInsights": {"complexity": float("nan"), "suggestions": []}},
        {"aiInsights": None},
        {"aiInsights": 1},
        {"aiInsights": {"complexity": "x", "suggestions": [1]}},
        {"owner": {"id": "a", "name": None}},
    ],
    ids=str,
)
def test_what_a_document_should_not_hold_is_the_same_error(odd):
    query = "{ projects { name visibility version collaborators { name } aiInsights { complexity suggestions } owner { name } } }"
    document = {**PROJECT, **odd}
    long, short = asked([document], query, short=False), asked([document], query, short=True)
    assert short.data == long.data
    assert [str(error) for error in short.errors or ()] == [str(error) for error in long.errors or ()]
