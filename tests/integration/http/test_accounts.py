import time
from collections.abc import Callable

import httpx
import jwt
import pytest

from commands.secrets import Secrets
from read_api.auth.keys import SigningKeys
from tests.support.people import PASSWORD, Person, made, refused
from tests.support.server import Server

REGISTER, LOGIN = "/api/v1/auth/register", "/api/v1/auth/login"


def test_an_account_sees_itself_whole_and_others_by_name(
    ada: Person, bob: Person, anybody: httpx.Client
) -> None:
    me = ada.client.get("/api/v1/me").json()
    assert (me["email"], me["roles"], me["tier"]) == (ada.email, ["user"], "free")
    assert "passwordHash" not in me
    for client in (bob.client, anybody):
        other = client.get(f"/api/v1/accounts/{ada.id}").json()
        assert other.keys() == {"id", "name", "createdAt", "version"}
    refused(anybody.get("/api/v1/me"), 401, "authentication_required")


def test_an_account_sees_what_it_owns_after_each_change(new_person: Callable[[], Person]) -> None:
    client = new_person().client

    def used_after(answer: httpx.Response) -> dict[str, int]:
        assert answer.is_success, answer.text
        after = {"CodePark-After": answer.headers["CodePark-Position"]}
        query = {"query": "{ me { quotas { projects { used } files { used } bytes { used } } } }"}
        shown = made(client.get("/api/v1/me", headers=after), 200)["quotas"]
        same = made(client.post("/graphql", json=query, headers=after), 200)["data"]["me"]["quotas"]
        used = {name: shown[name]["used"] for name in ("projects", "files", "bytes")}
        assert {name: quota["used"] for name, quota in same.items()} == used
        return used

    created = client.post("/api/v1/projects", json={"name": "p"})
    path = f"/api/v1/projects/{created.json()['id']}"
    assert used_after(created) == {"projects": 1, "files": 0, "bytes": 0}
    first = client.put(f"{path}/files/a", json={"content": "é" * 5})
    assert used_after(first) == {"projects": 1, "files": 1, "bytes": 10}
    client.put(f"{path}/files/b", json={"content": "x"})
    second = client.put(f"{path}/files/a", json={"content": "x" * 3})
    assert used_after(second) == {"projects": 1, "files": 2, "bytes": 4}
    assert used_after(client.delete(f"{path}/files/b")) == {"projects": 1, "files": 1, "bytes": 3}
    assert used_after(client.delete(path)) == {"projects": 0, "files": 0, "bytes": 0}


def test_names_and_addresses_are_taken_once_whatever_their_case(ada: Person, anybody: httpx.Client) -> None:
    body = {"email": "new@example.org", "name": "New", "password": PASSWORD}
    refused(anybody.post(REGISTER, json={**body, "email": ada.email.upper()}), 409, "email_taken")
    refused(anybody.post(REGISTER, json={**body, "name": "aDA"}), 409, "name_taken")


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("name", "-x"), ("name", "a" * 40), ("password", "short"), ("name", 7)],
)
def test_bad_registrations_name_the_field(anybody: httpx.Client, field: str, value: object) -> None:
    body = {"email": "x@example.org", "name": "Xavier", "password": PASSWORD, field: value}
    problem = refused(anybody.post(REGISTER, json=body), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == f"/{field}"


def test_a_wrong_login_does_not_say_what_is_wrong(ada: Person, anybody: httpx.Client) -> None:
    answers = [
        anybody.post(LOGIN, json={"email": email, "password": "wrong password"})
        for email in (ada.email, "nobody@example.org")
    ]
    problems = [refused(answer, 401, "invalid_credentials") for answer in answers]
    assert problems[0]["detail"] == problems[1]["detail"]


def test_an_account_changes_itself(server: Server, anybody: httpx.Client) -> None:
    cara = Person(server, "Cara")
    with cara.client as client:
        assert made(client.patch("/api/v1/me", json={}), 200)["version"] == 1
        changed = made(client.patch("/api/v1/me", json={"name": "Carla", "email": "carla@example.org"}), 200)
        assert (changed["name"], changed["email"], changed["version"]) == ("Carla", "carla@example.org", 2)
        refused(client.patch("/api/v1/me", json={"name": "ada", "roles": ["admin"]}), 400, "unknown_field")
    assert anybody.post(LOGIN, json={"email": "carla@example.org", "password": PASSWORD}).status_code == 200
    refused(anybody.post(LOGIN, json={"email": cara.email, "password": PASSWORD}), 401, "invalid_credentials")


def test_only_administrators_give_roles(admin: httpx.Client, new_person, ada: Person) -> None:
    bob = new_person()
    url = f"/api/v1/accounts/{bob.id}"
    refused(ada.client.patch(url, json={"tier": "pro"}), 403, "role_required")
    refused(bob.client.patch(url, json={"roles": ["admin"]}), 403, "role_required")
    changed = made(admin.patch(url, json={"roles": ["user", "analyst"], "tier": "pro"}), 200)
    assert (changed["roles"], changed["tier"]) == (["user", "analyst"], "pro")
    refused(admin.patch(url, json={"roles": []}), 400, "invalid_input")


@pytest.mark.parametrize("header", ["Bearer", "Bearer x.y.z", "Basic eDp5", "Bearer \xff"])
def test_a_bad_token_is_401_even_where_nobody_may_ask(server: Server, header: str) -> None:
    answer = server.raw("GET", "/api/v1/projects", headers={"Authorization": header})
    refused(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    ("kind", "status"), [("at+jwt", 200), ("application/at+jwt", 200), ("JWT", 401), (None, 401)]
)
def test_only_access_tokens_sign_in(server: Server, kind: str | None, status: int) -> None:
    key = SigningKeys(Secrets.from_base64(server.secret_key())).operator()
    now = int(time.time())
    claims = {
        "sub": "service:test",
        "iss": "codepark",
        "aud": "codepark",
        "iat": now,
        "exp": now + 60,
        "jti": "1",
    }
    token = jwt.encode(claims, key.private, algorithm="EdDSA", headers={"typ": kind, "kid": key.id})
    with server.client(token) as client:
        assert client.get("/api/v1/projects").status_code == status


def test_announcements_are_the_administrators(
    admin: httpx.Client, ada: Person, anybody: httpx.Client
) -> None:
    body = {"title": "Hello", "text": "everybody"}
    refused(ada.client.post("/api/v1/announcements", json=body), 403, "role_required")
    refused(anybody.post("/api/v1/announcements", json=body), 401, "authentication_required")
    answer = admin.post("/api/v1/announcements", json=body)
    announced = made(answer)
    assert anybody.get(answer.headers["location"]).json() == announced
    assert announced in anybody.get("/api/v1/announcements").json()["items"]


def test_a_position_that_is_none_is_refused_also_where_nobody_has_the_name(anybody: httpx.Client) -> None:
    answer = anybody.get("/api/v1/accounts?name=nobody-is", headers={"CodePark-After": "`h<="})
    refused(answer, 400, "invalid_position")
