"""Operations generated from the schema: none is a fault of the server, and every answer fits the schema."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    ArgumentNode,
    GraphQLSchema,
    StringValueNode,
    Visitor,
    build_schema,
    parse,
    print_ast,
    print_schema,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema

from read_api.graphql.federation import schema
from tests.e2e.graphql.conforming import violations
from tests.support.people import Person, made
from tests.support.proof import ran, size
from tests.support.server import Server, serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.proof("generated GraphQL")]

SERVED: GraphQLSchema = build_schema(print_schema(schema()))
SCALARS: Any = {"_Any": st.text(max_size=20).map(lambda text: StringValueNode(value=text))}
POSITIVE = from_schema(SERVED, custom_scalars=SCALARS)
NEGATIVE = from_schema(SERVED, custom_scalars=SCALARS, mode=Mode.NEGATIVE)
EXAMPLES = settings(
    max_examples=size(150, 2_000),
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("generated") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ada(server: Server) -> Iterator[Person]:
    person = Person(server, "Ada")
    with person.client:
        yield person


@pytest.fixture(scope="module")
def project(ada: Person) -> str:
    """A project with a review, a comment, a build and a file."""
    id_: str = made(ada.client.post("/api/v1/projects", json={"name": "Engine", "visibility": "public"}))[
        "id"
    ]
    path = f"/api/v1/projects/{id_}"
    review = made(ada.client.post(f"{path}/reviews", json={"title": "Look, @Ada"}))["id"]
    made(ada.client.post(f"{path}/reviews/{review}/comments", json={"text": "Hm"}))
    made(ada.client.post(f"{path}/builds", json={}))
    made(ada.client.put(f"{path}/files/a.py", json={"content": "def f(a):\n    return a or 1\n"}))
    return id_


class _Meant(Visitor):
    """Replace every id by that of an existing project."""

    def __init__(self, id_: str) -> None:
        super().__init__()
        self._id = id_

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        if node.name.value in ("id", "projectId") and isinstance(node.value, StringValueNode):
            return ArgumentNode(name=node.name, value=StringValueNode(value=self._id))
        return None


def check(client: httpx.Client, query: str) -> None:
    ran()
    answer = client.post("/graphql", json={"query": query})
    assert answer.status_code == 200, answer.text
    result = answer.json()
    for error in result.get("errors", ()):
        assert error["extensions"]["status"] < 500, (query, error)
        assert error["extensions"]["code"] not in ("invalid_syntax", "internal_error"), (query, error)
    assert violations(SERVED, query, result.get("data")) == [], query


@pytest.mark.parametrize("signed_in", [True, False])
def test_what_is_asked_by_the_schema_is_answered_by_it(
    ada: Person, server: Server, project: str, *, signed_in: bool
) -> None:
    with server.client(server.token() if signed_in else None) as client:

        @EXAMPLES
        @given(POSITIVE, st.booleans())
        def ask(query: Any, meant: bool) -> None:
            deletes = "deleteProject" in query
            check(client, print_ast(visit(parse(query), _Meant(project))) if meant and not deletes else query)

        ask()


def test_what_is_asked_against_the_schema_is_refused(server: Server, project: str) -> None:
    with server.client(server.token()) as client:

        @EXAMPLES
        @given(NEGATIVE)
        def ask(query: Any) -> None:
            check(client, query)

        ask()
