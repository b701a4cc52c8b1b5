"""Erase a person: nothing stored leads back to them, and the history is still valid (G10)."""

import json
from uuid import uuid4

import httpx
import pytest

from tests.support.people import PASSWORD, Person, made, position_now, refused
from tests.support.server import Server, eventually
from tests.support.traces import stored

ENCRYPTED = ("request", "feedback", "reported")
"""What only the log has."""


@pytest.fixture
def words() -> list[str]:
    """Return words that are nowhere else: an address, a name, and what was written."""
    kinds = ("mail", "name", "title", "text", "comment", "message", "agent", *ENCRYPTED)
    return [f"{kind}{uuid4().hex[:16]}" for kind in kinds]


@pytest.fixture
def start(ada: Person) -> str:
    """Return the position before the person registers."""
    return position_now(ada)


@pytest.fixture
def person(server: Server, words: list[str], start: str):
    mail, name = words[:2]
    with server.client() as visitor:
        account = {"email": f"{mail}@example.org", "name": name, "password": PASSWORD}
        visitor.headers["X-Request-Id"] = words[7]
        made(visitor.post("/api/v1/auth/register", json=account))
        login = {"email": account["email"], "password": PASSWORD}
        tokens = made(visitor.post("/api/v1/auth/login", json=login, headers={"User-Agent": words[6]}), 200)
    with server.client(tokens["accessToken"]) as client:
        client.headers["X-Request-Id"] = words[7]
        yield client


def leave_traces(person: httpx.Client, ada: Person, words: list[str]) -> tuple[str, str, str]:
    """Write all that a person may write; return their own project, another's, and a review there."""
    mail, name, title, text, comment, message, *_, feedback, reported = words
    own = made(person.post("/api/v1/projects", json={"name": "mine", "visibility": "public"}))["id"]
    commit = {
        "message": message,
        "author": {"name": name, "email": f"{mail}@example.org"},
        "authoredAt": "2026-01-02T03:04:05Z",
        "changes": [{"path": "a.py", "status": "A", "content": "print(1)\n"}],
    }
    made(person.post(f"/api/v1/projects/{own}/commits", json=commit))
    me = made(person.get("/api/v1/me"), 200)
    public = made(ada.client.post("/api/v1/projects", json={"name": "hers", "visibility": "public"}))["id"]
    path = f"/api/v1/projects/{public}"
    made(ada.client.put(f"{path}/collaborators/{me['id']}", json={"role": "editor"}), 200)
    review = made(person.post(f"{path}/reviews", json={"title": title, "description": text}))["id"]
    made(person.post(f"{path}/reviews/{review}/comments", json={"text": comment}))
    hers = made(ada.client.post(f"{path}/reviews", json={"title": "to decide"}))["id"]
    made(person.post(f"{path}/reviews/{hers}/decision", json={"decision": "approved", "text": text}), 200)
    made(person.post("/api/v1/me/tokens", json={"name": name, "scopes": ["read"]}))
    made(person.post("/api/v1/feedback", json={"message": feedback, "requestId": reported}), 204)
    return own, public, review


def found_in(text: str, words: list[str]) -> list[str]:
    return [word for word in words if word in text]


def everything(admin: httpx.Client, projects: tuple[str, ...], before: str) -> str:
    """Return everything that the API shows an administrator of *projects* and of the time after *before*."""
    pages, after = [], before
    while True:
        page = made(admin.get("/api/v1/events", params={"limit": 100, "after": after}), 200)
        pages.append(json.dumps(page))
        if not page["items"]:
            break
        after = page["items"][-1]["position"]
    for project in projects:
        path = f"/api/v1/projects/{project}"
        reviews = [f"/reviews/{review['id']}" for review in admin.get(f"{path}/reviews").json()["items"]]
        parts = ("", "/commits", "/reviews", "/history", "/collaborators", *reviews)
        pages += [admin.get(path + part).text for part in parts]
    return "\n".join(pages)


def past(admin: httpx.Client, project: str, review: str, moment: str) -> str:
    """Return what the API shows of a project as it was."""
    parts = ("", "/commits", "/reviews", f"/reviews/{review}", "/history", "/collaborators")
    answers = [admin.get(f"/api/v1/projects/{project}{part}", params={"asOf": moment}) for part in parts]
    assert all(answer.is_success for answer in answers)
    return "\n".join(answer.text for answer in answers)


def test_an_erased_person_can_be_read_nowhere(
    server: Server, admin: httpx.Client, ada: Person, start: str, person: httpx.Client, words: list[str]
) -> None:
    own, public, review = leave_traces(person, ada, words)
    me = made(person.get("/api/v1/me"), 200)
    unchanged = ada.client.patch(f"/api/v1/projects/{public}", json={})
    moment = unchanged.headers["codepark-position"]
    written = [words[2], words[3], words[4]]
    assert found_in(past(admin, public, review, moment), written) == written
    before = everything(admin, (own, public), start)
    assert found_in(before, words) == words  # what is searched for is found while it is there
    # the id of a request and feedback are only in the log, and there they are encrypted
    assert found_in(stored(server).decode("latin-1"), words) == words[: -len(ENCRYPTED)]
    answer = person.delete("/api/v1/me")
    assert answer.status_code == 204, answer.text
    person.headers.pop("X-Request-Id")  # the process writes refused requests into its own output
    refused(person.get("/api/v1/me"), 401, "invalid_token")
    after = {"CodePark-After": answer.headers["codepark-position"]}
    refused(admin.get(f"/api/v1/accounts/{me['id']}", headers=after), 404, "account_not_found")

    assert found_in(everything(admin, (own, public), start), words) == []
    assert found_in(past(admin, public, review, moment), words) == []
    shown = made(admin.get(f"/api/v1/projects/{public}/reviews/{review}"), 200)
    assert (shown["title"], shown["description"], shown["author"]["name"]) == ("[erased]",) * 3
    assert shown["comments"][0]["text"] == "[erased]"
    assert found_in(stored(server).decode("latin-1"), words) == []
    assert found_in(server.command("events", "export"), words) == []
    assert all(finding["ok"] for finding in json.loads(server.command("doctor", "--json"))["findings"])


def test_commits_under_an_earlier_address_or_in_other_letters_are_erased_too(
    person: httpx.Client, anybody: httpx.Client, words: list[str]
) -> None:
    mail, name, _, _, _, message, *_ = words
    project = made(person.post("/api/v1/projects", json={"name": "mine", "visibility": "public"}))["id"]
    commits = f"/api/v1/projects/{project}/commits"
    for email in (f"{mail}@example.org", f"{mail.upper()}@Example.org"):
        author = {"name": name, "email": email}
        body = {"message": message, "author": author, "authoredAt": "2026-01-02T03:04:05Z", "changes": []}
        made(person.post(commits, json=body))
    made(person.patch("/api/v1/me", json={"email": f"new-{mail}@example.org"}), 200)
    assert person.delete("/api/v1/me").status_code == 204
    shown = made(anybody.get(commits), 200)["items"]
    assert {(item["message"], item["author"]["email"]) for item in shown} == {("[erased]", "[erased]")}


def test_the_name_and_the_address_are_free_again(
    server: Server, person: httpx.Client, words: list[str], anybody: httpx.Client
) -> None:
    account = {"email": f"{words[0]}@example.org", "name": words[1], "password": PASSWORD}
    refused(anybody.post("/api/v1/auth/register", json=account), 409, "email_taken")
    assert person.delete("/api/v1/me").status_code == 204
    made(anybody.post("/api/v1/auth/register", json=account))


def test_an_address_in_a_commit_proves_nothing(ada: Person, new_person, words: list[str]) -> None:
    """Whoever writes another's address into an account erases none of the other's commits."""
    thief = new_person()
    project = made(ada.client.post("/api/v1/projects", json={"name": "hers"}))["id"]
    commit = {
        "message": words[5],
        "author": {"name": "Victim", "email": thief.email},
        "authoredAt": "2026-01-02T03:04:05Z",
        "changes": [],
    }
    sha = made(ada.client.post(f"/api/v1/projects/{project}/commits", json=commit))["sha"]
    made(ada.client.put(f"/api/v1/projects/{project}/collaborators/{thief.id}", json={"role": "editor"}), 200)
    made(thief.client.post(f"/api/v1/projects/{project}/commits", json={**commit, "message": "bait"}))
    assert thief.client.delete("/api/v1/me").status_code == 204
    shown = eventually(lambda: ada.client.get(f"/api/v1/projects/{project}/commits/{sha}").json())
    assert shown["message"] == words[5]
