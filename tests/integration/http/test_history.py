"""Batches, the event history, positions, and the past."""

import base64
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from tests.support.people import Person, made, refused
from tests.support.server import eventually

COMMANDS, EVENTS = "/api/v1/commands", "/api/v1/events"


def token(sequence: int, chain: bytes) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode({0: (sequence, chain)})).rstrip(b"=").decode()


def sequence_of(position: str) -> int:
    raw = base64.urlsafe_b64decode(position + "=" * (-len(position) % 4))
    return int(msgspec.msgpack.decode(raw, type=dict[int, tuple[int, bytes]])[0][0])


def batch(person: Person, *commands: dict[str, Any]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = made(person.client.post(COMMANDS, json={"commands": commands}), 200)[
        "results"
    ]
    return results


def test_a_batch_is_carried_out_in_order_each_with_an_outcome(ada: Person, project: Any, path: str) -> None:
    write = {"type": "file.write", "target": project["id"]}
    results = batch(
        ada,
        {**write, "data": {"path": "a", "content": "1"}},
        {**write, "data": {"path": "../a", "content": "1"}},
        {**write, "data": {"path": "a", "content": "2"}, "expectedVersion": 1},
        {**write, "data": {"path": "a", "content": "3"}, "expectedVersion": 1},
        {**write, "data": {"path": "a", "colour": "3"}},
        {"type": "file.write", "data": {"path": "a", "content": ""}},
        {"type": "project.create", "data": {"name": "From a batch"}},
    )
    assert [r["status"] for r in results] == ["accepted", "refused"] * 2 + ["refused"] * 2 + ["accepted"]
    problems = [(r["problem"]["status"], r["problem"]["code"]) for r in results if r["status"] == "refused"]
    assert problems == [
        (400, "invalid_path"),
        (412, "version_mismatch"),
        (400, "unknown_field"),
        (400, "invalid_input"),
    ]
    assert (results[0]["version"], results[2]["version"]) == (1, 2)
    assert ada.client.get(f"{path}/files/a").json()["content"] == "2"
    assert ada.client.get(f"/api/v1/projects/{results[6]['target']}").json()["name"] == "From a batch"


def test_ids_make_a_batch_repeatable(ada: Person, project: Any) -> None:
    command = {
        "id": f"import-{uuid4()}",
        "type": "file.write",
        "target": project["id"],
        "data": {"path": "a", "content": "1"},
    }
    first, again = batch(ada, command)[0], batch(ada, command)[0]
    assert (first["id"], again) == (command["id"], {**first, "replayed": True})
    both = batch(ada, command, {**command, "data": {"path": "b", "content": ""}})
    assert (both[0]["replayed"], both[1]["problem"]["code"]) == (True, "idempotency_key_reused")
    status = ada.client.get(f"{COMMANDS}/{first['commandId']}").json()
    assert (status["status"], status["version"], status["position"]) == ("accepted", 1, first["position"])


def test_a_command_is_unknown_to_others_and_while_it_is_absent(ada: Person, bob: Person, path: str) -> None:
    command = ada.client.patch(path, json={"name": "x"}).headers["codepark-command"]
    assert ada.client.get(f"{COMMANDS}/{command}").json()["status"] == "accepted"
    assert bob.client.get(f"{COMMANDS}/{command}").json() == {"id": command, "status": "unknown"}
    absent = str(uuid4())
    assert ada.client.get(f"{COMMANDS}/{absent}").json() == {"id": absent, "status": "unknown"}


def test_batches_have_limits(ada: Person, anybody: httpx.Client) -> None:
    command = {"type": "project.create", "data": {"name": "x"}}
    for commands in ([], [command] * 501):
        problem = refused(ada.client.post(COMMANDS, json={"commands": commands}), 400, "invalid_input")
        assert problem["errors"][0]["pointer"] == "/commands"
    refused(ada.client.post(COMMANDS, json={"commands": [{**command, "type": "x.y"}]}), 400, "invalid_input")
    refused(anybody.post(COMMANDS, json={"commands": [command]}), 401, "authentication_required")


def test_a_history_has_a_projects_events_in_order(ada: Person, bob: Person, path: str) -> None:
    made(ada.client.put(f"{path}/files/a", json={"content": "1"}))
    made(ada.client.put(f"{path}/files/b", json={"content": "1"}))
    made(ada.client.patch(path, json={"name": "x"}), 200)

    def types(**query: Any) -> list[str]:
        return [item["type"] for item in ada.client.get(f"{path}/history", params=query).json()["items"]]

    assert types() == ["project.created", "file.written", "file.written", "project.updated"]
    assert types(type="file.written") == ["file.written"] * 2
    assert types(path="a") == ["file.written"]
    page = ada.client.get(f"{path}/history", params={"limit": 1}).json()
    assert types(after=page["items"][0]["position"]) == ["file.written", "file.written", "project.updated"]
    refused(bob.client.get(f"{path}/history"), 404, "project_not_found")
    refused(ada.client.get(f"{path}/history", params={"type": "no.such"}), 400, "invalid_input")


def test_the_events_are_those_of_projects_that_one_may_see(
    ada: Person, bob: Person, admin: httpx.Client, project: Any, public: Any
) -> None:
    start = bob.client.get(f"/api/v1/projects/{project['id']}")
    assert start.status_code == 404
    first = admin.get(EVENTS, params={"stream": f"project-{project['id']}"}).json()["items"][0]
    before = token(0, b"\0" * 4)

    def streams(client: httpx.Client) -> list[str]:
        streams, after = [], before
        while after:
            page = client.get(EVENTS, params={"after": after, "type": "project.created", "limit": 100}).json()
            streams += [item["stream"] for item in page["items"]]
            after = page["nextCursor"]
        return streams

    private, seen = f"project-{project['id']}", f"project-{public['id']}"
    assert first["stream"] == private
    assert (private in streams(ada.client), seen in streams(ada.client)) == (True, True)
    assert (private in streams(bob.client), seen in streams(bob.client)) == (False, True)
    assert {private, seen} <= set(streams(admin))


def with_newest_insights(person: Person, path: str) -> Any:
    """Return the project at *path*, None while insights of it are being made: the past shows none of that."""
    shown = person.client.get(path).json()
    return None if shown["insightsPending"] else shown


def test_the_past_is_what_was_shown_then(ada: Person, path: str) -> None:
    shown = []
    for number in range(4):
        answer = ada.client.put(f"{path}/files/a.py", json={"content": f"x = {number}\n"})
        assert answer.is_success
        made(ada.client.patch(path, json={"name": f"name {number}"}), 200)
        position = ada.client.patch(path, json={}).headers["codepark-position"]
        project = eventually(partial(with_newest_insights, ada, path))
        shown.append((position, project, ada.client.get(f"{path}/files/a.py").json()))
    for position, project, file in shown:
        assert ada.client.get(path, params={"asOf": position}).json() == project
        assert ada.client.get(f"{path}/files/a.py", params={"asOf": position}).json() == file
    updated = shown[1][1]["updatedAt"]
    at_time = ada.client.get(path, params={"asOf": updated}).json()
    assert at_time["updatedAt"] <= updated
    assert at_time["name"] in {"name 1", "name 2"}
    refused(ada.client.get(path, params={"asOf": "2001-01-01T00:00:00Z"}), 404, "project_not_found")
    refused(ada.client.get(path, params={"asOf": "last week"}), 400, "invalid_input")
    assert ada.client.get(path, params={"asOf": "2999-01-01T00:00:00+01:00"}).json() == shown[-1][1]


def test_a_deleted_projects_past_is_for_auditors(ada: Person, admin: httpx.Client, path: str) -> None:
    position = ada.client.patch(path, json={"name": "Last words"}).headers["codepark-position"]
    assert ada.client.delete(path).status_code == 204
    refused(ada.client.get(path, params={"asOf": position}), 404, "project_not_found")
    assert admin.get(path, params={"asOf": position}).json()["name"] == "Last words"
    assert admin.get(f"{path}/history").json()["items"][-1]["type"] == "project.deleted"
    unknown = f"/api/v1/projects/{uuid4()}"
    refused(admin.get(f"{unknown}/history"), 404, "project_not_found")


def test_an_answer_includes_the_position_that_it_is_asked_for(ada: Person, path: str) -> None:
    position = ada.client.patch(path, json={"name": "Seen"}).headers["codepark-position"]
    assert ada.client.get(path, headers={"CodePark-After": position}).json()["name"] == "Seen"


def test_a_position_that_never_comes_is_503(ada: Person, path: str) -> None:
    ahead = token(10**9, b"abcd")
    answer = ada.client.get(path, headers={"CodePark-After": ahead})
    refused(answer, 503, "position_ahead")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("position", ["nonsense!", "AAAA", "", token(1, b"no")])
def test_a_malformed_position_is_400(ada: Person, path: str, position: str) -> None:
    refused(ada.client.get(path, headers={"CodePark-After": position}), 400, "invalid_position")


def test_the_position_of_another_log_is_400(ada: Person, path: str) -> None:
    now = ada.client.patch(path, json={}).headers["codepark-position"]
    foreign = token(sequence_of(now), b"\xff\0\xff\0")
    for place, asked in (("CodePark-After", "headers"), ("after", "params"), ("cursor", "params")):
        url = path if asked == "headers" else EVENTS
        answer = ada.client.get(url, **{asked: {place: foreign}})
        assert refused(answer, 400, "invalid_position")["errors"][0]["pointer"] == f"/{place}"
    refused(ada.client.get(path, params={"asOf": foreign}), 400, "invalid_input")
