from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.people import Person, made, refused
from tests.support.server import Server, serving

PROJECTS = "/api/v1/projects"
OUTCOME = ("location", "etag", "codepark-position", "codepark-command")


def key() -> dict[str, str]:
    return {"Idempotency-Key": f"test-{uuid4()}"}


def twice(client: httpx.Client, method: str, url: str, body: Any = None) -> httpx.Response:
    """Send a request and its retry; both must tell the one outcome."""
    headers = key()
    first, again = (client.request(method, url, json=body, headers=headers) for _ in range(2))
    assert first.is_success, first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.status_code == first.status_code
    assert [again.headers.get(name) for name in OUTCOME] == [first.headers.get(name) for name in OUTCOME]
    assert again.content == first.content
    return first


def test_every_kind_of_command_repeats_its_first_outcome(ada: Person, bob: Person, path: str) -> None:
    client, member = ada.client, f"{path}/collaborators/{bob.id}"
    twice(client, "POST", PROJECTS, {"name": "Twice"})
    twice(client, "PATCH", path, {"description": "d"})
    twice(client, "PUT", path, {"name": "Other"})
    twice(client, "PUT", member, {"role": "editor"})
    twice(client, "PUT", f"{path}/files/a.txt", {"content": "a"})
    twice(client, "PUT", f"{path}/files/a.txt", {"content": "b"})
    commit = {"message": "m", "author": {"name": "A"}, "authoredAt": "2024-01-31T12:00:00Z"}
    twice(client, "POST", f"{path}/commits", commit)
    twice(client, "POST", f"{path}/commits", {**commit, "sha": "abcd", "complete": False})
    review = twice(client, "POST", f"{path}/reviews", {"title": "t"}).headers["location"]
    twice(bob.client, "POST", f"{review}/comments", {"text": "c"})
    twice(bob.client, "POST", f"{review}/decision", {"decision": "approved"})
    twice(client, "POST", f"{review}/close")
    build = twice(client, "POST", f"{path}/builds", {}).headers["location"]
    twice(client, "PATCH", build, {"status": "running"})
    twice(client, "DELETE", f"{path}/files/a.txt")
    twice(client, "DELETE", member)
    twice(client, "DELETE", path)
    assert client.get(path).status_code == 404


def test_a_repeated_command_shows_the_state_that_it_left(ada: Person, path: str) -> None:
    headers = key()
    first = made(ada.client.patch(path, json={"name": "First"}, headers=headers), 200)
    made(ada.client.patch(path, json={"name": "Second"}), 200)
    again = ada.client.patch(path, json={"name": "First"}, headers=headers)
    assert made(again, 200) == first
    assert ada.client.get(path).json()["name"] == "Second"


def test_a_command_without_effect_repeats_too(ada: Person, path: str) -> None:
    answer = twice(ada.client, "PATCH", path, {"name": "Engine"})
    assert answer.headers["etag"] == '"1"'


def test_a_key_with_another_body_is_refused(ada: Person, path: str) -> None:
    headers = key()
    made(ada.client.patch(path, json={"name": "One"}, headers=headers), 200)
    answer = ada.client.patch(path, json={"name": "Two"}, headers=headers)
    refused(answer, 422, "idempotency_key_reused")


def test_a_refused_command_leaves_nothing_behind_its_key(ada: Person, path: str) -> None:
    headers = {**key(), "If-Match": '"7"'}
    refused(ada.client.patch(path, json={"name": "X"}, headers=headers), 412, "version_mismatch")
    headers["If-Match"] = '"1"'
    answer = ada.client.patch(path, json={"name": "Y"}, headers=headers)
    assert made(answer, 200)["version"] == 2
    assert "idempotency-replayed" not in answer.headers


def test_callers_do_not_share_keys(ada: Person, bob: Person) -> None:
    headers = key()
    ids = [made(p.client.post(PROJECTS, json={"name": "K"}, headers=headers))["id"] for p in (ada, bob)]
    assert ids[0] != ids[1]
    assert all(id_[14] == "8" for id_ in ids), "a derived id is a UUIDv8"


@pytest.mark.parametrize("value", ["", "a b", "x" * 256, "caf\u00e9"])
def test_a_bad_key_is_refused(ada: Person, value: str) -> None:
    headers = {"Idempotency-Key": value.encode("latin-1")}
    problem = refused(ada.client.post(PROJECTS, json={"name": "x"}, headers=headers), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/Idempotency-Key"


def test_registration_repeats_and_login_ignores_the_key(server: Server) -> None:
    body = {"email": "retry@example.org", "name": "Retry", "password": "a long password"}
    with server.client() as client:
        twice(client, "POST", "/api/v1/auth/register", body)
        headers = key()
        logins = [
            client.post("/api/v1/auth/login", json=body_, headers=headers)
            for body_ in ({"email": body["email"], "password": body["password"]},) * 2
        ]
    assert [answer.status_code for answer in logins] == [200, 200]
    assert all("idempotency-replayed" not in answer.headers for answer in logins)


def test_the_outcome_outlives_the_process(tmp_path: Path) -> None:
    headers, answers = key(), []
    for _ in range(2):
        with serving(tmp_path / "data") as server, server.client(server.token()) as client:
            answers.append(client.post(PROJECTS, json={"name": "Kept"}, headers=headers))
    first, again = answers
    assert made(first) == made(again)
    assert again.headers["idempotency-replayed"] == "true"
    assert [again.headers[name] for name in OUTCOME] == [first.headers[name] for name in OUTCOME]
