"""What documents weigh."""

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from read_api.graphql.documents import Documents
from read_api.graphql.federation import schema
from read_api.graphql.limits import DEAREST, Scales, check_limits


def weight(query, **variables):
    document = parse(query)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return Scales(schema(), document, variables).weigh(operation)


def test_the_guide_s_query():
    found = weight("{ projects { id name collaborators { id name } aiInsights { complexity suggestions } } }")
    assert (found.cost, found.depth, found.fields, found.aliases) == (
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
    ],
)
def test_costs(query, variables, cost):
    assert weight(query, **variables).cost == cost


def test_fragments_are_weighed_wherever_they_are_spread_and_weighed_once():
    spread = "{ projects(limit: 1) { ...a0 } } " + " ".join(
        f"fragment a{n} on Project {{ ...a{n + 1} ...a{n + 1} }}" for n in range(40)
    )
    found = weight(spread + " fragment a40 on Project { id }")
    assert found.fields == 2**40 + 1
    assert (
        weight("{ ...a } fragment a on Query { me { id } ...a }").fields == 2
    )  # a circle: validation's matter


def test_the_usual_introspection_passes():
    assert check_limits(schema(), parse(get_introspection_query())) == []


def test_a_document_is_read_once_and_weighed_for_each_request():
    documents = Documents(schema())
    query = "query ($n: Int) { projects(limit: $n) { files(first: $n) { nodes { path } } } }"
    small = documents.prepare(query, {"n": 2})
    assert small.errors == []
    assert documents.prepare(query, {"n": 2}) is small
    assert str(DEAREST) in documents.prepare(query, {"n": 100}).errors[0].message
    assert documents.prepare(query, {"n": 2}) is small


def test_what_is_too_dear_at_first_is_not_remembered_as_such():
    documents = Documents(schema())
    query = "query ($n: Int) { projects(limit: $n) { files(first: $n) { nodes { path } } } }"
    assert documents.prepare(query, {"n": 100}).errors
    assert documents.prepare(query, {"n": 1}).errors == []


def test_only_so_many_documents_are_kept():
    documents = Documents(schema())
    for number in range(600):
        documents.prepare(f"{{ __typename }} # {number}", {})
    assert len(documents._kept) == 500
    for number in range(40):
        documents.prepare(f"{{ __typename }} # {number}{'x' * 30_000}", {})
    assert sum(map(len, documents._kept)) == documents._characters <= 512 * 1024


def test_a_directive_keeps_a_document_from_the_short_way():
    documents = Documents(schema())
    assert documents.prepare("{ me { id } }", {}).shapes == {}
    assert documents.prepare("query ($a: Boolean!) { me { id @skip(if: $a) } }", {"a": True}).shapes is None
