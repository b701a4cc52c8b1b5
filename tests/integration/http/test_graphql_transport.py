"""`/graphql` over HTTP: media types, methods, statuses, persisted queries, limits."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from tests.support.graphql import RESPONSE, data, refused, send
from tests.support.people import Person
from tests.support.server import Server
from tests.support.time_scale import stretched

QUERY = "{ projects(limit: 1) { id } }"
JSON = "application/json"


def post(client: httpx.Client, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/graphql", content=content, headers={"Content-Type": JSON, **headers})


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("*/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{JSON};q=0.5, {RESPONSE}", RESPONSE),
        ("application/*", JSON),
    ],
)
def test_an_answer_has_the_type_that_is_asked_for(
    anybody: httpx.Client, accept: str | None, media: str
) -> None:
    answer = post(anybody, {"query": QUERY}, **({} if accept is None else {"Accept": accept}))
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media


def test_what_cannot_be_answered_is_not_acceptable(anybody: httpx.Client) -> None:
    assert post(anybody, {"query": QUERY}, Accept="image/png").status_code == 406


def test_queries_by_get_and_mutations_not(anybody: httpx.Client) -> None:
    named = {
        "query": "query A { __typename } query B($n: Int) { projects(limit: $n) { id } }",
        "operationName": "B",
    }
    answer = anybody.get("/graphql", params={**named, "variables": '{"n": 1}'})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert list(answer.json()["data"]) == ["projects"]
    change = anybody.get(
        "/graphql", params={"query": 'mutation { createProject(input: {name: "x"}) { version } }'}
    )
    assert (change.status_code, change.headers["allow"]) == (405, "POST")
    assert anybody.get("/graphql", params={"query": QUERY, "variables": "["}).status_code == 400
    assert anybody.get("/graphql").status_code == 400
    assert anybody.head("/graphql", params={"query": QUERY}).status_code == 200
    assert anybody.delete("/graphql").status_code == 405


def test_the_page_is_for_browsers(anybody: httpx.Client) -> None:
    page = anybody.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "invalid_syntax"),
        ("", "invalid_syntax"),
        ("{ nothing }", "invalid_query"),
        ("query ($n: Int!) { projects(limit: $n) { id } }", "invalid_query"),
        ("{ ...a } fragment a on Query { ...a }", "invalid_query"),
    ],
)
def test_what_cannot_run_is_refused_by_the_rules_of_its_type(
    anybody: httpx.Client, query: str, code: str
) -> None:
    for accept, status in ((JSON, 200), (RESPONSE, 400)):
        answer = post(anybody, {"query": query}, Accept=accept)
        assert answer.status_code == status
        assert answer.json()["errors"][0]["extensions"]["code"] == code
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"\xff", 400, "invalid_json"),
        (b'"x"', 400, "invalid_input"),
        (b"{}", 400, "invalid_input"),
        (b'{"query": 1}', 400, "invalid_input"),
        (b'{"query": "{__typename}", "variables": []}', 400, "invalid_input"),
        (b'{"query": "{__typename}", "operationName": "x"}', 400, "invalid_input"),
        (b'[{"query": "{__typename}"}]', 400, "invalid_input"),
        (b'{"query": "\\ud800"}', 400, "invalid_json"),
        (b'{"query": "{__typename}", "extensions": {"persistedQuery": 1}}', 400, "invalid_input"),
        (b'{"query": "subscription { events { id } }"}', 400, "invalid_input"),
        (b"[" * 100_000, 400, "invalid_input"),
        (b'{"query":' + b"[" * 100_000, 400, "invalid_input"),
    ],
)
def test_malformed_bodies_are_refused(anybody: httpx.Client, body: bytes, status: int, code: str) -> None:
    answer = post(anybody, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["extensions"]["code"] == code


def test_other_media_and_large_bodies(anybody: httpx.Client) -> None:
    other = anybody.post("/graphql", content=b"{}", headers={"Content-Type": "text/plain"})
    assert other.status_code == 415
    assert post(anybody, {"query": "#" * 70_000}).status_code == 413
    assert post(anybody, {"query": QUERY, "variables": {"x": "a" * 11_000_000}}).status_code == 413


def nested(depth: int) -> str:
    return "{ projects { owner " * 1 + "{ id } } }" if depth == 0 else "{ a " * depth + "}" * depth


@pytest.mark.parametrize(
    "query",
    [
        "{ a " * 600 + "}" * 600,
        "{ a " * 1_900 + "}" * 1_900,
        "{ projects(limit: 100) { files(first: 100) { nodes { path size version } } } }",
        "{ " + " ".join(f"p{n}: projects(limit: 1) {{ id }}" for n in range(31)) + " }",
        "{ " + "projects(limit: 1) { id } " * 300 + "}",
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ projects(limit: 1) { ...a0 } } "
        + " ".join(f"fragment a{n} on Project {{ ...a{n + 1} ...a{n + 1} }}" for n in range(30))
        + " fragment a30 on Project { id }",
        "{ node(id: [" + "[" * 1_500 + "]" * 1_500 + "]) { id } }",
        "{ projects " + "@include(if: true) " * 1_200 + "{ id } }",
        "query (" + "$a: Int " * 1_400 + ") { projects(limit: $a) { id } }",
    ],
    ids=range(10),
)
def test_what_asks_too_much_is_refused_at_once(anybody: httpx.Client, query: str) -> None:
    answer = send(anybody, query)
    assert answer.status_code == 400, answer.text[:500]
    assert answer.elapsed.total_seconds() < stretched(2)
    assert answer.json()["errors"][0]["extensions"]["code"] in (
        "query_too_complex",
        "invalid_query",
        "invalid_syntax",
    )


def test_a_page_s_size_counts_where_it_is_a_variable_too(anybody: httpx.Client) -> None:
    query = "query ($n: Int) { projects(limit: $n) { files(first: $n) { nodes { path size version } } } }"
    assert "projects" in data(anybody, query, n=5)
    refused(anybody, query, 400, "query_too_complex", n=100)
    assert "projects" in data(anybody, query, n=6)


def test_the_usual_introspection_is_within_the_limits(anybody: httpx.Client) -> None:
    introspection = data(
        anybody, get_introspection_query(specified_by_url=True, input_value_deprecation=True)
    )
    assert {"Project", "Account"} <= {kind["name"] for kind in introspection["__schema"]["types"]}


def test_a_query_is_persisted_under_its_hash(anybody: httpx.Client) -> None:
    query = "{ projects(limit: 2) { id } } # persisted"
    digest = hashlib.sha256(query.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    unknown = post(anybody, {"extensions": extensions})
    assert unknown.status_code == 200
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert "data" in post(anybody, {"query": query, "extensions": extensions}).json()
    assert "data" in post(anybody, {"extensions": extensions}).json()
    by_get = anybody.get("/graphql", params={"extensions": json.dumps(extensions)})
    assert "data" in by_get.json()
    other = post(anybody, {"query": "{ __typename }", "extensions": extensions})
    assert other.json()["errors"][0]["extensions"]["code"] == "invalid_input"


def test_what_is_refused_is_not_persisted(anybody: httpx.Client) -> None:
    query = "{ nothing }"
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
    for body in ({"query": query, "extensions": extensions}, {"extensions": extensions}):
        codes = [error["extensions"]["code"] for error in post(anybody, body).json()["errors"]]
    assert codes == ["PERSISTED_QUERY_NOT_FOUND"]


def test_entities_are_found_by_their_keys(
    ada: Person, anybody: httpx.Client, public: Any, project: Any
) -> None:
    query = (
        "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Project { name } ... on Account"
        " { name } } }"
    )
    representations = [
        {"__typename": "Project", "id": public["id"]},
        {"__typename": "Project", "id": project["id"]},
        {"__typename": "Account", "id": ada.id, "more": 1},
        {"__typename": "Account", "id": "service:cli"},
    ]
    assert data(anybody, query, r=representations)["_entities"] == [
        {"name": "Open"},
        None,
        {"name": "Ada"},
        {"name": "service:cli"},
    ]
    for bad in (
        {"__typename": "Query", "id": "x"},
        {"__typename": "Project"},
        {},
        1,
        None,
        {"__typename": [], "id": "x"},
    ):
        answer = send(anybody, query, r=[bad])
        assert answer.json()["errors"][0]["extensions"]["status"] == 400, answer.text
    refused(anybody, query, 400, "invalid_input", r=[representations[0]] * 1_001)


def test_an_error_carries_the_request_id(server: Server, anybody: httpx.Client) -> None:
    answer = send(anybody, "{ me { id } }", {"X-Request-Id": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert answer.json()["errors"][0]["extensions"]["requestId"] == "mine"
