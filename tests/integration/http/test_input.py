"""Malformed input is refused with what to change."""

from uuid import UUID

import pytest

from tests.support.people import Person, refused
from tests.support.server import Raw, Server

PROJECTS = "/api/v1/projects"
DEEP = b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def post(
    server: Server, ada: Person, body: bytes, content_type: str = "application/json", **headers: str
) -> Raw:
    sent = {"Authorization": f"Bearer {ada.token}", "Content-Type": content_type, **headers}
    return server.raw("POST", PROJECTS, body, sent)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"name": "x", "colour": 1}', "unknown_field", "/colour"),
        (b'{"name": 7}', "invalid_input", "/name"),
        (b'{"name": ""}', "invalid_input", "/name"),
        (b'{"name": "   "}', "invalid", "/name"),
        (b'{"name": "a\\nb"}', "invalid_input", "/name"),
        (b"{}", "invalid_input", ""),
        (b'{"name": "x", "visibility": "secret"}', "invalid_input", "/visibility"),
        (b"[]", "invalid_input", ""),
        (b"", "invalid_json", ""),
        (b"{", "invalid_json", ""),
        (b'{"name": "x"} x', "invalid_json", ""),
        (b'{"name": "\xff"}', "invalid_json", ""),
        (b'{"name": "\\ud800"}', "invalid_json", ""),
        (b'{"name": "x", "description": "\\udc00\\ud800"}', "invalid_json", ""),
        (b'{"name": NaN}', "invalid_json", ""),
        (DEEP, "invalid_input", "/name"),
        (b'{"name": "x", "language": ' + DEEP + b"}", "invalid_input", "/language"),
        (b'{"zzz": ' + DEEP + b"}", None, None),
    ],
)
def test_bad_bodies(server: Server, ada: Person, body: bytes, code: str | None, pointer: str | None) -> None:
    answer = post(server, ada, body)
    problem = refused(answer, 400, code or answer.json()["code"])
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    assert problem["instance"] == PROJECTS
    assert problem["type"].endswith(problem["code"].replace("_", "-"))


def test_escaped_text_that_is_whole_is_accepted(server: Server, ada: Person) -> None:
    answer = post(server, ada, b'{"name": "\\ud83d\\ude00 \\\\ud800"}')
    assert (answer.status_code, answer.json()["name"]) == (201, "\U0001f600 \\ud800")


@pytest.mark.parametrize(
    "media",
    [
        "",
        "text/plain",
        "application/xml",
        "application/merge-patch+json",
        "application/json; charset=latin-1",
    ],
)
def test_other_media_are_415(server: Server, ada: Person, media: str) -> None:
    refused(post(server, ada, b'{"name": "x"}', media), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media", ["application/json; charset=UTF-8", "Application/JSON", 'application/json;charset="utf-8"']
)
def test_json_is_json_however_it_is_written(server: Server, ada: Person, media: str) -> None:
    assert post(server, ada, b'{"name": "x"}', media).status_code == 201


def test_nobody_gets_401_before_anything_else(server: Server) -> None:
    for body in (b"{}", b"nonsense"):
        refused(server.raw("POST", PROJECTS, body), 401, "authentication_required")


def test_request_ids_are_echoed_or_made(server: Server, ada: Person) -> None:
    given = post(server, ada, b"{}", **{"X-Request-Id": "my/request-1"})
    assert given.json()["requestId"] == given.headers["x-request-id"] == "my/request-1"
    made = post(server, ada, b"{}", **{"X-Request-Id": "no spaces please"})
    assert UUID(made.headers["x-request-id"])


@pytest.mark.parametrize(
    ("given", "valid"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        ("x" * 4_000, False),
    ],
)
def test_a_trace_goes_into_the_event(server: Server, ada: Person, given: str, valid: bool) -> None:
    created = post(server, ada, b'{"name": "traced"}', traceparent=given, **{"X-Request-Id": "r-1"})
    events = ada.client.get(f"{PROJECTS}/{created.json()['id']}/history").json()["items"]
    assert (events[0]["traceparent"], events[0]["correlationId"]) == (given if valid else None, "r-1")
    assert events[0]["commandId"] == created.headers["codepark-command"]


def test_answers_say_how_they_may_be_kept(ada: Person, path: str) -> None:
    shown = ada.client.get(path).headers
    assert (shown["cache-control"], shown["vary"]) == ("private, no-cache", "Authorization, Accept-Encoding")
    for answer in (ada.client.get(f"{path}/builds/none"), ada.client.patch(path, json={})):
        assert answer.headers["cache-control"] == "no-store"
    assert shown["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("cursor=%FF", "invalid_input"),
        ("search=%C3", "invalid_input"),
        ("cursor=AAAA", "invalid_cursor"),
        ("fields=a%20b", "invalid_input"),
    ],
)
def test_bad_queries(ada: Person, query: str, code: str) -> None:
    refused(ada.client.get(f"{PROJECTS}?{query}"), 400, code)


def test_the_surface_describes_and_checks_itself(ada: Person) -> None:
    document = ada.client.get("/schema/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    project = document["components"]["schemas"]["ProjectInput"]
    assert project["additionalProperties"] is False
    assert ada.client.get("/health/live").json() == {"status": "live"}
    assert ada.client.get("/.well-known/jwks.json").json()["keys"][0]["alg"] == "EdDSA"
    assert b"codepark_" in ada.client.get("/metrics").content


def test_addresses_and_headers_that_are_too_long_are_refused(server: Server) -> None:
    assert server.raw("GET", f"/api/v1/events?type={'a' * 65_000}").status_code == 400
    assert server.raw("GET", f"/api/v1/events?type={'a' * 66_000}").status_code == 414
    headers = {f"X-{number}": "a" for number in range(120)}
    assert server.raw("GET", "/api/v1/projects", headers=headers).status_code == 431
