"""Feedback: accounts write to those who run the platform, over REST, `/commands` and GraphQL."""

from uuid import uuid4

import httpx
import pytest

from tests.support.people import Person, made, refused

FEEDBACK = "/api/v1/feedback"
MUTATION = """mutation($key: String) {
  giveFeedback(input: {message: "graph", requestId: "r-2"}, idempotencyKey: $key) { replayed changed }
}"""


def given(admin: httpx.Client, answer: httpx.Response) -> list[dict]:
    """Return the data of the events of the command that was answered, as administrators see them."""
    command = made(admin.get(f"/api/v1/commands/{answer.headers['codepark-command']}"), 200)
    after = {"CodePark-After": answer.headers["codepark-position"]}
    wanted = {"type": "feedback.given", "limit": 100}
    page = made(admin.get("/api/v1/events", params=wanted, headers=after), 200)
    return [event["data"] for event in page["items"] if event["commandId"] == command["id"]]


def test_feedback_becomes_an_event(admin: httpx.Client, new_person) -> None:
    person: Person = new_person()
    message = f"Slow {uuid4()}"
    answer = person.client.post(FEEDBACK, json={"message": message, "requestId": "r-1"})
    assert (answer.status_code, answer.content) == (204, b"")
    (data,) = given(admin, answer)
    assert (data["authorId"], data["message"], data["requestId"]) == (person.id, message, "r-1")
    (without,) = given(admin, person.client.post(FEEDBACK, json={"message": "short"}))
    assert without["requestId"] is None


def test_a_retry_gives_it_once(admin: httpx.Client, new_person) -> None:
    client, headers = new_person().client, {"Idempotency-Key": "once"}
    body = {"message": "once"}
    first = client.post(FEEDBACK, json=body, headers=headers)
    again = client.post(FEEDBACK, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(given(admin, again)) == 1
    refused(client.post(FEEDBACK, json={"message": "other"}, headers=headers), 422, "idempotency_key_reused")


def test_it_is_a_command_of_every_surface(new_person) -> None:
    client = new_person().client
    commands = [{"type": "feedback.give", "data": {"message": "batch"}, "id": "b"}]
    (result,) = made(client.post("/api/v1/commands", json={"commands": commands}), 200)["results"]
    assert result["status"] == "accepted"
    body = {"query": MUTATION, "variables": {"key": "g"}}
    shown = [made(client.post("/graphql", json=body), 200)["data"]["giveFeedback"] for _ in range(2)]
    assert shown == [{"replayed": False, "changed": True}, {"replayed": True, "changed": True}]


def test_visitors_and_services_are_refused(admin: httpx.Client, anybody: httpx.Client) -> None:
    refused(anybody.post(FEEDBACK, json={"message": "m"}), 401, "authentication_required")
    refused(admin.post(FEEDBACK, json={"message": "m"}), 403, "forbidden")


def test_a_token_that_only_reads_is_refused(server, new_person) -> None:
    wanted = {"name": "t", "scopes": ["read"]}
    token = made(new_person().client.post("/api/v1/me/tokens", json=wanted))["token"]
    with server.client(token) as client:
        refused(client.post(FEEDBACK, json={"message": "m"}), 403, "scope_required")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": "m" * 4_001},
        {"message": "m", "requestId": "r" * 129},
        {"message": "m", "more": 1},
    ],
)
def test_invalid_feedback_is_refused(ada: Person, body: dict) -> None:
    answer = ada.client.post(FEEDBACK, json=body)
    assert answer.status_code in (400, 422), answer.text


def test_only_those_who_see_all_read_it(ada: Person, bob: Person) -> None:
    answer = ada.client.post(FEEDBACK, json={"message": "for the operators alone"})
    after = {"CodePark-After": answer.headers["codepark-position"]}
    page = made(bob.client.get("/api/v1/events", params={"type": "feedback.given"}, headers=after), 200)
    assert page["items"] == []
