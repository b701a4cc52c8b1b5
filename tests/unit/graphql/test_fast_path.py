"""The fast path gives what graphql-core gives, errors included."""

from types import SimpleNamespace

import graphene
import pytest
from graphql import execute, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from read_api.graphql import types
from read_api.graphql.fast_path import FastPathExecution
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


def executed(documents, query, *, fast):
    fields = {
        "projects": graphene.Field(
            graphene.List(graphene.NonNull(types.Project)), resolver=lambda *_: documents
        )
    }
    schema = graphene.Schema(
        type("Query", (graphene.ObjectType,), fields), auto_camelcase=False
    ).graphql_schema
    extractors = {} if fast else None
    context = SimpleNamespace(extractors=extractors)
    result = execute(schema, parse(query), None, context, execution_context_class=FastPathExecution)
    if fast and not result.errors:
        assert any(extractors.values()), "no extractor was used"
    return result


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
def test_both_paths_give_the_same(inner):
    query = f"{{ projects {{ {inner} }} }}"
    try:
        slow = executed([PROJECT, PROJECT], query, fast=False)
    except Exception:  # noqa: BLE001 # the same alias for two fields: validation would have refused it
        return
    fast = executed([PROJECT, PROJECT], query, fast=True)
    assert (fast.data, fast.errors) == (slow.data, slow.errors)
    assert str(fast.data) == str(slow.data), "in the same order"


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
def test_a_malformed_document_gives_the_same_errors_on_both_paths(odd):
    query = (
        "{ projects { name visibility version collaborators { name }"
        " aiInsights { complexity suggestions } owner { name } } }"
    )
    document = {**PROJECT, **odd}
    slow, fast = executed([document], query, fast=False), executed([document], query, fast=True)
    assert fast.data == slow.data
    assert [str(error) for error in fast.errors or ()] == [str(error) for error in slow.errors or ()]
