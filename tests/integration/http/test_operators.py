"""Who acts for an account is in its events, on every surface; the operator's tokens leave a trace."""

from typing import Any

import httpx
import jwt
import pytest

from commands.secrets import Secrets
from domain.actor import Role, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens
from tests.support.live import Live, sse, websocket
from tests.support.people import Person, made
from tests.support.server import Server, eventually

EVENTS = "/api/v1/events"


def acting_for(server: Server, person: Person, by: str | None = None) -> str:
    """Return a token as `codepark token --account` prints it."""
    tokens = Tokens(SigningKeys(Secrets.from_base64(server.secret_key())))
    return tokens.issue_access(
        person.id, {Role.USER}, tier=Tier.ENTERPRISE, operator=True, operated_by=by or "service:cli"
    )


def written_for(server: Server, person: Person, by: str | None = None) -> dict[str, Any]:
    """Create a project as an operator who acts for *person*; return it."""
    with server.client(acting_for(server, person, by)) as operator:
        return made(operator.post("/api/v1/projects", json={"name": "by an operator"}))


def test_an_event_names_the_account_and_who_acted_for_it(server: Server, ada: Person, bob: Person) -> None:
    project = written_for(server, ada, bob.id)
    assert project["ownerId"] == ada.id
    made(ada.client.patch(f"/api/v1/projects/{project['id']}", json={"description": "own"}), 200)
    stream = {"stream": f"project-{project['id']}"}
    events = made(ada.client.get(EVENTS, params=stream), 200)["items"]
    assert [(event["actor"], event["operatedBy"]) for event in events] == [(ada.id, bob.id), (ada.id, None)]
    history = made(ada.client.get(f"/api/v1/projects/{project['id']}/history"), 200)["items"]
    assert history[0]["operatedBy"] == bob.id
    text = f'{{ events(stream: "{stream["stream"]}") {{ nodes {{ actor operatedBy }} }} }}'
    nodes = made(ada.client.post("/graphql", json={"query": text}), 200)["data"]["events"]["nodes"]
    assert nodes == [{"actor": ada.id, "operatedBy": bob.id}, {"actor": ada.id, "operatedBy": None}]


@pytest.mark.parametrize("live", [sse, websocket])
def test_live_events_name_who_acted(server: Server, ada: Person, live: Live) -> None:
    after = ada.client.post("/api/v1/projects", json={"name": "before"}).headers["codepark-position"]
    project = written_for(server, ada)
    with live(server, ada.token, after=after) as events:
        created = next(event for event in events if event["projectId"] == project["id"])
    assert (created["actor"], created["operatedBy"]) == (ada.id, "service:cli")


def test_the_first_use_of_an_operators_token_is_an_event(
    server: Server, ada: Person, admin: httpx.Client
) -> None:
    token = acting_for(server, ada)
    token_id = jwt.decode(token, options={"verify_signature": False})["jti"]

    def recorded() -> list[dict[str, Any]]:
        return made(admin.get(EVENTS, params={"stream": f"token-{token_id}"}), 200)["items"]

    assert recorded() == []
    with server.client(token) as operator:
        for _ in range(2):
            assert operator.get("/api/v1/me").status_code == 200
    eventually(lambda: bool(recorded()), seconds=10)
    (event,) = recorded()
    assert event["type"] == "token.operator_used"
    assert event["data"]["principalId"] == ada.id
    assert event["data"]["operatedBy"] == "service:cli"
    assert event["data"]["expiresAt"] > event["data"]["issuedAt"]
    assert made(ada.client.get(EVENTS, params={"stream": f"token-{token_id}"}), 200)["items"] == []
