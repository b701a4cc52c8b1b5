"""Clients of other authors work: graphql-ws, Apollo's composition and gateway, the audit of graphql-http."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.graphql.node import run
from tests.support.people import Person, made
from tests.support.server import Server, serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def ada(server: Server) -> Iterator[Person]:
    person = Person(server, "Ada")
    with person.client:
        yield person


@pytest.fixture
def bob(server: Server) -> Iterator[Person]:
    person = Person(server, "Bob")
    with person.client:
        yield person


def test_a_stock_graphql_ws_client_follows_and_resumes(server: Server, ada: Person) -> None:
    project = made(ada.client.post("/api/v1/projects", json={"name": "Engine"}))["id"]
    after = ada.client.patch(f"/api/v1/projects/{project}", json={}).headers["codepark-position"]
    for number in range(5):
        made(ada.client.put(f"/api/v1/projects/{project}/files/{number}", json={"content": "1"}))
    seen = run("live.mjs", f"ws://127.0.0.1:{server.port}/graphql", ada.token, project, after, "5")
    assert [event["type"] for event in seen["events"]] == ["file.written"] * 5
    assert len({event["position"] for event in seen["events"]}) == 5
    assert seen["asked"] == ["Ada"]
    assert (seen["badToken"], seen["badQuery"], seen["badPosition"]) == (
        4403,
        "invalid_query",
        "invalid_position",
    )


def test_apollo_composes_the_subgraph_and_its_gateway_queries_it(
    server: Server, ada: Person, bob: Person
) -> None:
    project = made(ada.client.post("/api/v1/projects", json={"name": "Engine"}))["id"]
    path = f"/api/v1/projects/{project}"
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "viewer"}), 200)
    result = run("federation.mjs", f"{server.url}/graphql", ada.token, ada.id, project)
    assert (result["errors"], result["hints"]) == ([], [])
    assert result["out"]["data"]["projects"] == [
        {
            "id": project,
            "name": "Engine",
            "stars": 3,
            "owner": {"name": "Ada", "points": 7},
            "collaborators": [{"id": bob.id, "name": "Bob", "account": {"points": 7}}],
        }
    ]
    assert "errors" not in result["back"], result["back"]
    assert result["back"]["data"]["badge"] == {
        "holder": {"name": "Ada", "points": 7, "email": "ada@example.org"},
        "of": {"name": "Engine", "aiInsights": {"complexity": 0}},
        "pageInfo": {"hasNextPage": False},
    }
    changed = result["changed"]["data"]["updateProject"]
    assert changed == {"version": 3, "project": {"description": "by the gateway", "stars": 3}}
    assert result["refused"]["errors"][0]["extensions"]["code"] == "version_mismatch"


def test_the_audit_of_graphql_over_http_finds_nothing(server: Server) -> None:
    results = run("audit.mjs", f"{server.url}/graphql")
    assert len(results) > 50
    assert [result for result in results if result["status"] != "ok"] == []
