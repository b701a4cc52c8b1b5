"""The cost of documents, and the limits on it."""

import time

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from read_api.graphql.documents import Documents
from read_api.graphql.federation import schema
from read_api.graphql.limits import (
    INTROSPECTION_COST,
    MAX_COST,
    MAX_VALUES,
    PAST_COST,
    Scales,
    check_limits,
    command_count,
    value_error,
)


def weight(query, **variables):
    document = parse(query)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return Scales(schema(), document, variables).weigh(operation)


def test_the_guide_s_query():
    guide = weight("{ projects { id name collaborators { id name } aiInsights { complexity suggestions } } }")
    assert (guide.cost, guide.depth, guide.fields, guide.aliases) == (
        1 + 20 * (2 + 1 + 5 * 2 + 1 + 2),
        2,
        9,
        0,
    )


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ projects(limit: 3) { id } }", {}, 4),
        ("query ($n: Int) { projects(limit: $n) { id } }", {"n": 7}, 8),
        ("query ($n: Int = 1) { projects(limit: $n) { id } }", {}, 101),
        ("{ projects(limit: 1000000) { id } }", {}, 101),
        ("{ projects(limit: -5) { id } }", {}, 2),
        ('{ projects(limit: "x") { id } }', {}, 21),
        ("{ projectsConnection(first: 10) { edges { node { id } } pageInfo { endCursor } } }", {}, 51),
        ('mutation { a: deleteProject(projectId: "x") { version } }', {}, 101),
        ("mutation { ...m } fragment m on Mutation { a: readNotifications { version } }", {}, 101),
        ("{ nothing { below { it } } }", {}, 3),
        ("{ _entities(representations: [{a: 1}, {a: 2}, {a: 3}]) { __typename } }", {}, 4),
        ("query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }", {"r": [{}] * 9}, 10),
        ("query ($r: [_Any!]! = [1, 2]) { _entities(representations: $r) { __typename } }", {}, 3),
        ("query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }", {"r": {}}, 2),
        ('{ project(id: "a", asOf: "2026-01-01T00:00:00Z") { id } }', {}, PAST_COST + 2),
        ('{ project(id: "a", asOf: null) { id } }', {}, 2),
        ('query ($t: String) { project(id: "a", asOf: $t) { id } }', {"t": "x"}, PAST_COST + 2),
        ('query ($t: String) { project(id: "a", asOf: $t) { id } }', {"t": None}, 2),
        ('query ($t: String) { project(id: "a", asOf: $t) { id } }', {}, 2),
        ('query ($t: String = "x") { project(id: "a", asOf: $t) { id } }', {}, PAST_COST + 2),
        ('query ($t: String = "x") { project(id: "a", asOf: $t) { id } }', {"t": None}, 2),
        ("{ __schema { description } }", {}, INTROSPECTION_COST + 2),
        ("{ _service { sdl } }", {}, INTROSPECTION_COST + 2),
    ],
)
def test_costs(query, variables, cost):
    assert weight(query, **variables).cost == cost


def test_a_fragment_counts_wherever_it_is_spread_but_is_weighed_once():
    spread = "{ projects(limit: 1) { ...a0 } } " + " ".join(
        f"fragment a{n} on Project {{ ...a{n + 1} ...a{n + 1} }}" for n in range(40)
    )
    assert weight(spread + " fragment a40 on Project { id }").fields == 2**40 + 1


def test_a_circle_of_fragments_ends_and_is_left_to_validation():
    assert weight("{ ...a } fragment a on Query { me { id } ...a }").fields == 2


def test_the_usual_introspection_passes():
    assert check_limits(schema(), parse(get_introspection_query())) == []


def test_a_document_is_parsed_once_and_weighed_for_each_request():
    documents = Documents(schema())
    query = "query ($n: Int) { projects(limit: $n) { files(first: $n) { nodes { path } } } }"
    small = documents.prepare(query, {"n": 2})
    assert small.errors == []
    assert documents.prepare(query, {"n": 2}) is small
    assert str(MAX_COST) in documents.prepare(query, {"n": 100}).errors[0].message
    assert documents.prepare(query, {"n": 2}) is small


def test_a_document_that_was_too_expensive_for_one_request_is_not_refused_for_another():
    documents = Documents(schema())
    query = "query ($n: Int) { projects(limit: $n) { files(first: $n) { nodes { path } } } }"
    assert documents.prepare(query, {"n": 100}).errors
    assert documents.prepare(query, {"n": 1}).errors == []


def test_the_cache_of_documents_is_bounded():
    documents = Documents(schema())
    for number in range(600):
        documents.prepare(f"{{ __typename }} # {number}", {})
    assert len(documents._cached) == 500
    for number in range(40):
        documents.prepare(f"{{ __typename }} # {number}{'x' * 30_000}", {})
    assert sum(map(len, documents._cached)) == documents._characters <= 128 * 1024
    documents.prepare("{ nothing }", {})
    assert "{ nothing }" not in documents._cached


def test_a_document_with_directives_is_not_compiled():
    documents = Documents(schema())
    assert documents.prepare("{ me { id } }", {}).extractors == {}
    skipping = documents.prepare("query ($a: Boolean!) { me { id @skip(if: $a) } }", {"a": True})
    assert skipping.extractors is None


ENTITIES = "query ($r: [_Any!]!) {{ {} }}"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (
            ENTITIES.format("_entities(representations: $r) { ...on Project { id name } }"),
            {"r": [{}] * 10_000},
        ),
        (
            ENTITIES.format(
                " ".join(f"a{n}: _entities(representations: $r) {{ __typename }}" for n in range(30))
            ),
            {"r": [{}] * 1_000},
        ),
        ("{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(30)) + " }", {}),
        ("{ " + " ".join(f'a{n}: __type(name: "Project") {{ name }}' for n in range(3)) + " }", {}),
        ("{ " + " ".join(f'a{n}: project(id: "a", asOf: "b") {{ id }}' for n in range(30)) + " }", {}),
    ],
    ids=["entities", "entities of many aliases", "schema", "types", "the past"],
)
def test_what_is_dear_cannot_be_asked_for_thirty_times(query, variables):
    (error,) = Documents(schema()).prepare(query, variables).errors
    assert "too complex: its cost is" in error.message


def test_a_gateway_may_ask_for_a_thousand_entities():
    query = ENTITIES.format("_entities(representations: $r) { ...on Project { id name } }")
    assert Documents(schema()).prepare(query, {"r": [{}] * 1_000}).errors == []


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "__typename " * 400 + "}",
        "{ " + 'project(id: "a") { id } ' * 150 + "}",
        "{ " + ('project(id: "a") { ' + "files(first: 1) { nodes { path } } " * 10 + "} ") * 12 + "}",
        '{ project(id: "a") { '
        + " ".join(f"...f{n}" for n in range(200))
        + " } } "
        + " ".join(f"fragment f{n} on Project {{ name }}" for n in range(200)),
        '{ project(id: "a") { ' + "... on Project { name } " * 300 + "} }",
    ],
    ids=["a field", "nested", "twice nested", "fragments", "inline fragments"],
)
def test_a_field_that_is_named_hundreds_of_times_is_refused_before_the_fields_are_compared(query):
    """Validation compares each pair of them; for twelve thousand characters that took half a second."""
    least = float("inf")
    for _ in range(3):  # the collector of a process with many objects may take longer than all else
        documents = Documents(schema())
        start = time.thread_time()
        (error,) = documents.prepare(query, {}).errors
        least = min(least, time.thread_time() - start)
        assert "the same fields too often" in error.message
    assert least < 0.2


def test_fifty_fragments_that_name_the_same_fields_pass():
    """Clients that make queries from the parts of a page send such documents."""
    spread = '{ project(id: "a") { ' + " ".join(f"...f{n}" for n in range(50)) + " } } "
    fragments = " ".join(f"fragment f{n} on Project {{ __typename id }}" for n in range(50))
    assert Documents(schema()).prepare(spread + fragments, {}).errors == []


def test_variables_hold_a_bounded_number_of_values():
    assert value_error({"a": [1] * (MAX_VALUES - 1)}) is None
    assert value_error({"a": {"b": [[1, 2], {"c": 3}]}}) is None
    for many in (
        {"a": [0] * MAX_VALUES},
        {"a": [[0] * 1_000] * 30},
        {str(n): 0 for n in range(MAX_VALUES + 1)},
    ):
        assert f"more than {MAX_VALUES} values" in value_error(many).message


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("mutation { a: x b: y }", 2),
        ("mutation { x ... on Mutation { y z } }", 3),
        ("mutation { ...f ...f } fragment f on Mutation { x y ...g } fragment g on Mutation { z }", 6),
    ],
)
def test_the_commands_of_a_mutation_are_counted_through_fragments(query, count):
    document = parse(query)
    assert command_count(document, document.definitions[0]) == count
