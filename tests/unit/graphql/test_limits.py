"""The cost of documents, and the limits on it."""

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from read_api.graphql.documents import Documents
from read_api.graphql.federation import schema
from read_api.graphql.limits import MAX_COST, Scales, check_limits


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
    assert sum(map(len, documents._cached)) == documents._characters <= 512 * 1024


def test_a_document_with_directives_is_not_compiled():
    documents = Documents(schema())
    assert documents.prepare("{ me { id } }", {}).extractors == {}
    skipping = documents.prepare("query ($a: Boolean!) { me { id @skip(if: $a) } }", {"a": True})
    assert skipping.extractors is None
