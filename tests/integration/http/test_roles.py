"""Every operation with every role, compared with the policy; what auditors and analysts read."""

import json
import re

import httpx
import pytest

from domain.actor import Role
from domain.identifiers import file_stream
from domain.policy import POLICY
from read_api.app import operations
from tests.support.people import PASSWORD, Person, made, position_now
from tests.support.server import Server

OPERATIONS = [operation for operation in operations() if not operation.path.startswith("/health")]
ROLES = (None, *Role)
NOWHERE = "0190a1b2-0000-7000-8000-00000000dead"
ANYBODYS = {"/api/v1/accounts": "?name=nobody"}
"""Queries without which a path is for administrators alone."""


@pytest.fixture(scope="module")
def by_role(server: Server):
    """Return a client for each role, and one for nobody."""
    clients: dict[Role | None, httpx.Client] = {None: server.client()}
    for role in Role:
        clients[role] = server.client(server.token("--role", role))
    yield clients
    for client in clients.values():
        client.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
def test_the_policy_is_what_every_operation_keeps_to(by_role, operation) -> None:
    """Send requests with each role, for missing things and with empty bodies: only the role may matter."""
    allowed = POLICY[operation.action].roles
    path = re.sub(r"\{[^}]+\}", NOWHERE, operation.path) + ANYBODYS.get(operation.path, "")
    for role, client in by_role.items():
        body = {"json": {}} if operation.input is not None else {}
        answer = client.request(operation.method, path, **body)
        code = answer.json().get("code") if answer.headers.get("content-type", "").endswith("json") else None
        if allowed is None or role in allowed:
            assert code not in ("role_required", "authentication_required"), (role, answer.text)
        elif role is None:
            assert (answer.status_code, code) == (401, "authentication_required")
        else:
            assert (answer.status_code, code) == (403, "role_required")


def test_every_command_of_a_batch_keeps_to_the_policy(by_role, ada: Person) -> None:
    project = made(ada.client.post("/api/v1/projects", json={"name": "p", "visibility": "public"}))["id"]
    commands = [
        {"type": "file.write", "target": project, "data": {"path": "a", "content": "x"}},
        {"type": "announcement.publish", "data": {"title": "t", "text": "x"}},
        {"type": "project.create", "data": {"name": "x"}},
    ]
    for role in Role:
        answer = made(by_role[role].post("/api/v1/commands", json={"commands": commands}), 200)
        for command, result in zip(commands, answer["results"], strict=True):
            may = role in (POLICY[command["type"]].roles or ())
            if may and POLICY[command["type"]].project is not None:
                may = role is Role.ADMIN  # a user has no role in a project of somebody else's
            assert (result["status"] == "accepted") is may, (role, result)


def test_an_auditor_reads_everything_and_an_analyst_nothing_personal(by_role, ada, new_person) -> None:
    secret, before = "a title that nobody else may read", position_now(ada)
    project = made(ada.client.post("/api/v1/projects", json={"name": secret}))["id"]
    path = f"/api/v1/projects/{project}"
    made(ada.client.post(f"{path}/reviews", json={"title": secret, "description": secret}))
    person = new_person()
    audited = everything(by_role[Role.AUDITOR], before)
    assert secret in audited
    assert person.email in audited
    assert by_role[Role.AUDITOR].get(path).status_code == 200
    assert by_role[Role.ANALYST].get(path).status_code == 404
    analysed = everything(by_role[Role.ANALYST], before)
    assert '"type": "review.opened"' in analysed
    for hidden in (secret, ada.email, ada.id, f'"{ada.name}"', project, person.email, person.id, person.name):
        assert hidden not in analysed
    assert project not in everything(by_role[Role.USER], before)


def test_an_analyst_finds_nothing_by_a_guessed_name(by_role, ada: Person) -> None:
    before = position_now(ada)
    project = made(ada.client.post("/api/v1/projects", json={"name": "p"}))["id"]
    made(ada.client.put(f"/api/v1/projects/{project}/files/secret.key", json={"content": "x"}))
    analyst = by_role[Role.ANALYST]
    guesses = [f"account-{ada.id}", f"project-{project}", file_stream(project, "secret.key")]
    for stream in guesses:
        assert found(analyst, stream) == []
        assert found(by_role[Role.AUDITOR], stream)
    published = next(
        event
        for event in json.loads(everything(analyst, before))
        if event["type"] == "file.written" and event["data"]["size"] == 1
    )
    assert published["id"] in [event["id"] for event in found(analyst, published["stream"])]


def test_an_analyst_sees_one_form_of_each_event(by_role, new_person, admin: httpx.Client) -> None:
    eva = new_person()
    before = position_now(eva)
    made(eva.client.post("/api/v1/projects", json={"name": "p"}))
    published = next(
        event
        for event in reversed(json.loads(everything(by_role[Role.ANALYST], before)))
        if event["type"] == "project.created"
    )
    made(admin.patch(f"/api/v1/accounts/{eva.id}", json={"roles": ["user", "analyst"]}), 200)
    again = made(eva.client.post("/api/v1/auth/login", json={"email": eva.email, "password": PASSWORD}), 200)
    eva.client.headers["Authorization"] = f"Bearer {again['accessToken']}"
    assert found(by_role[Role.ANALYST], published["stream"])
    assert found(eva.client, published["stream"]) == []


def test_an_analysts_events_cannot_be_joined_with_a_public_history(by_role, ada, new_person) -> None:
    before = position_now(ada)
    ada = new_person()
    body = {"name": "p", "visibility": "public"}
    public = made(ada.client.post("/api/v1/projects", json=body))["id"]
    private = made(ada.client.post("/api/v1/projects", json={"name": "q"}))["id"]
    history = ada.client.get(f"/api/v1/projects/{public}/history").json()["items"]
    analysed = json.loads(everything(by_role[Role.ANALYST], before))
    assert {event["sequence"] for event in analysed} == {0}
    assert not {event["occurredAt"] for event in history} & {event["occurredAt"] for event in analysed}
    assert not {event["id"] for event in history} & {event["id"] for event in analysed}
    assert not any(public in json.dumps(event) or private in json.dumps(event) for event in analysed)
    account = ada.client.get(f"/api/v1/accounts/{ada.id}").json()
    registered = [event for event in analysed if event["type"] == "account.registered"]
    assert registered
    assert account["createdAt"] not in {event["occurredAt"] for event in registered}
    assert all(event["occurredAt"].endswith("T00:00:00.000Z") for event in registered)


def found(client: httpx.Client, stream: str) -> list[dict[str, object]]:
    """Return the events of *stream*, over all pages."""
    items: list[dict[str, object]] = []
    query: dict[str, object] = {"limit": 100, "stream": stream}
    while True:
        page = made(client.get("/api/v1/events", params=query), 200)
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        query["cursor"] = page["nextCursor"]


def everything(client: httpx.Client, before: str) -> str:
    """Return all events after the position *before* that *client* may see."""
    pages, after = [], {"after": before}
    while True:
        page = made(client.get("/api/v1/events", params={"limit": 100, **after}), 200)
        pages += page["items"]
        if page["nextCursor"] is None:
            return json.dumps(pages)
        after = {"cursor": page["nextCursor"]}
