"""What was written while a project was private: who sees it once the project is public."""

from typing import Any

import httpx
import pytest

from domain.identifiers import file_stream
from tests.support.live import Live, sse, websocket
from tests.support.people import Person, made, refused
from tests.support.server import Server

PROJECTS = "/api/v1/projects"
SECRET = "hunter2-the-secret"


class Published:
    """A project of *owner* with a private time, in which a secret was written, that is public now."""

    def __init__(self, owner: Person, member: Person) -> None:
        self.owner = owner
        created = owner.client.post(PROJECTS, json={"name": SECRET})
        self.id: str = made(created)["id"]
        self.before: str = created.headers["codepark-position"]
        self.path = f"{PROJECTS}/{self.id}"
        made(owner.client.put(f"{self.path}/collaborators/{member.id}", json={"role": "editor"}), 200)
        self.write(".env", f"KEY={SECRET}")
        self.private_commit = self.commit(1, SECRET)
        self.private_review = self.review(SECRET)
        self.private_build = self.build(SECRET)
        removed = owner.client.delete(f"{self.path}/files/.env")
        self.private: str = removed.headers["codepark-position"]
        made(owner.client.patch(self.path, json={"name": "Open"}), 200)
        self.show()
        self.public_commit = self.commit(2, "open work")
        self.public_review = self.review("open question")
        self.public_build = self.build("open build")

    def show(self, **more: Any) -> str:
        answer = self.owner.client.patch(self.path, json={"visibility": "public", **more})
        made(answer, 200)
        return str(answer.headers["codepark-position"])

    def hide(self) -> None:
        made(self.owner.client.patch(self.path, json={"visibility": "private"}), 200)

    def write(self, path: str, content: str) -> None:
        assert self.owner.client.put(f"{self.path}/files/{path}", json={"content": content}).is_success

    def commit(self, number: int, message: str) -> str:
        sha = f"{number:040x}"
        change = {"path": f"file{number}", "status": "A", "content": message}
        body = {
            "sha": sha,
            "message": message,
            "author": {"name": "A", "email": "a@example.org"},
            "authoredAt": "2024-01-01T00:00:00Z",
            "parents": [],
            "changes": [change],
        }
        made(self.owner.client.post(f"{self.path}/commits", json=body))
        return sha

    def review(self, title: str) -> str:
        body = {"title": title, "description": title}
        return str(made(self.owner.client.post(f"{self.path}/reviews", json=body))["id"])

    def build(self, name: str) -> str:
        return str(made(self.owner.client.post(f"{self.path}/builds", json={"name": name}))["id"])


@pytest.fixture(scope="module")
def published(ada: Person, bob: Person) -> Published:
    return Published(ada, bob)


def everything_of(client: httpx.Client, published: Published) -> str:
    """Return all that lists and single answers show of the project, as text."""
    path = published.path
    paths = [
        path,
        f"{path}/history?limit=100",
        f"{path}/files",
        f"{path}/commits",
        f"{path}/commits?path=file1",
        f"{path}/timeline",
        f"{path}/commits/{published.private_commit}",
        f"{path}/reviews",
        f"{path}/reviews/{published.private_review}",
        f"{path}/builds",
        f"{path}/builds/{published.private_build}",
        f"{path}/history?path=.env",
        f"{path}?asOf={published.private}",
        f"{path}/files/.env?asOf={published.before}",
    ]
    texts = [client.get(each).text for each in paths]
    after: str | None = published.before
    while after:
        page = client.get("/api/v1/events", params={"after": after, "limit": 100})
        texts.append(page.text)
        after = page.json()["nextCursor"]
    query = """query($id: ID!, $sha: String!, $at: String!) {
        project(id: $id) {
            name history(first: 100) { nodes { data } }
            commits(first: 100) { nodes { message } } reviews(first: 100) { nodes { title description } }
            builds(first: 100) { nodes { name } } files(first: 100) { nodes { path content } } }
        commit(projectId: $id, sha: $sha) { message }
        past: project(id: $id, asOf: $at) { name }
    }"""
    variables = {"id": published.id, "sha": published.private_commit, "at": published.private}
    answer = client.post("/graphql", json={"query": query, "variables": variables})
    assert "project" in answer.json()["data"], answer.text
    return "\n".join([*texts, answer.text])


def test_what_was_written_while_private_stays_private(
    published: Published, anybody: httpx.Client, eve: Person, bob: Person, ada: Person, admin: httpx.Client
) -> None:
    for outsider in (anybody, eve.client):
        text = everything_of(outsider, published)
        assert SECRET not in text.replace('{"content":"' + SECRET, "").replace(f'"content":"{SECRET}"', "")
        assert "open work" in text
        assert "open question" in text
        assert "open build" in text
    for insider in (ada.client, bob.client, admin):
        assert SECRET in everything_of(insider, published)


def test_outsiders_get_404_for_single_things_of_the_private_time(
    published: Published, anybody: httpx.Client
) -> None:
    path = published.path
    refused(anybody.get(f"{path}/commits/{published.private_commit}"), 404, "commit_not_found")
    refused(anybody.get(f"{path}/reviews/{published.private_review}"), 404, "review_not_found")
    refused(anybody.get(f"{path}/builds/{published.private_build}"), 404, "build_not_found")
    refused(anybody.get(path, params={"asOf": published.private}), 404, "project_not_found")
    made(anybody.get(f"{path}/commits/{published.public_commit}"), 200)
    made(anybody.get(f"{path}/reviews/{published.public_review}"), 200)
    made(anybody.get(f"{path}/builds/{published.public_build}"), 200)
    assert [each["path"] for each in anybody.get(f"{path}/files").json()["items"]] == ["file1", "file2"]


def test_the_history_of_a_public_project_begins_with_its_publication(
    published: Published, anybody: httpx.Client
) -> None:
    events = anybody.get(f"{published.path}/history", params={"limit": 100}).json()["items"]
    assert events[0]["type"] == "project.updated"
    assert events[0]["data"]["visibility"] == "public"


@pytest.mark.parametrize("live", [sse, websocket])
def test_live_catch_up_leaves_the_private_time_out(
    server: Server, published: Published, eve: Person, bob: Person, live: Live
) -> None:
    position = published.show(name="Open")
    published.owner.client.patch(published.path, json={"description": position[-8:]})
    with live(server, eve.token, after=published.before, projects=published.id) as events:
        first = next(events)
        assert (first["type"], first["data"]["visibility"]) == ("project.updated", "public")
    with live(server, bob.token, after=published.before, projects=published.id) as events:
        assert next(events)["type"] == "collaborator.added"


def test_each_private_time_stays_private_until_the_owner_publishes_the_history(
    new_person: Any, bob: Person, anybody: httpx.Client
) -> None:
    owner = new_person()
    project = Published(owner, bob)
    project.hide()
    project.write("second", SECRET)
    hidden = project.commit(3, SECRET)
    removed = owner.client.delete(f"{project.path}/files/second")
    refused(anybody.get(project.path), 404, "project_not_found")
    project.show()
    refused(anybody.get(f"{project.path}/commits/{hidden}"), 404, "commit_not_found")
    refused(anybody.get(f"{project.path}/commits/{project.private_commit}"), 404, "commit_not_found")
    made(anybody.get(f"{project.path}/commits/{project.public_commit}"), 200)
    second = {"asOf": removed.headers["codepark-position"]}
    refused(anybody.get(project.path, params=second), 404, "project_not_found")
    refused(
        owner.client.patch(project.path, json={"visibility": "private", "publishHistory": True}),
        400,
        "invalid",
    )
    project.show(publishHistory=True)
    made(anybody.get(f"{project.path}/commits/{hidden}"), 200)
    made(anybody.get(f"{project.path}/commits/{project.private_commit}"), 200)
    assert anybody.get(project.path, params={"asOf": project.private}).json()["name"] == SECRET
    first = anybody.get(f"{project.path}/history").json()["items"][0]
    assert first["type"] == "project.created"


def test_comments_and_decisions_of_a_private_time_stay_private(
    new_person: Any, bob: Person, anybody: httpx.Client
) -> None:
    owner = new_person()
    project = Published(owner, bob)
    review = f"{project.path}/reviews/{project.public_review}"
    made(owner.client.post(f"{review}/comments", json={"text": "public words"}))
    project.hide()
    made(owner.client.post(f"{review}/comments", json={"text": SECRET}))
    made(bob.client.post(f"{review}/decision", json={"decision": "approved", "text": SECRET}), 200)
    project.show()
    shown = anybody.get(review).json()
    assert [each["text"] for each in shown["comments"]] == ["public words"]
    assert shown["decisions"] == []
    query = (
        "query($id: ID!, $r: ID!) { review(projectId: $id, id: $r) { comments { text } decisions { text } } }"
    )
    variables = {"id": project.id, "r": project.public_review}
    answer = anybody.post("/graphql", json={"query": query, "variables": variables}).json()["data"]["review"]
    assert answer == {"comments": [{"text": "public words"}], "decisions": []}
    assert SECRET in owner.client.get(review).text


def test_outsiders_change_nothing_in_a_review_of_a_private_time_and_learn_nothing_of_it(
    new_person: Any, bob: Person, eve: Person
) -> None:
    owner = new_person()
    project = Published(owner, bob)
    closed, missing = project.private_review, "01a20000-0000-7000-8000-000000000000"
    project.hide()
    hidden = project.review(SECRET)
    made(owner.client.post(f"{project.path}/reviews/{closed}/close", json={}), 200)
    project.show()

    def answers(review: str) -> list[tuple[int, str]]:
        path, client = f"{project.path}/reviews/{review}", eve.client
        comment = {"type": "review.comment", "target": project.id, "data": {"reviewId": review, "text": "x"}}
        close = {"type": "review.close", "target": project.id, "data": {"reviewId": review}}
        batch = {"commands": [comment, close, {**comment, "expectedVersion": 7}]}
        asked = [
            client.post(f"{path}/comments", json={"text": "x"}),
            client.post(f"{path}/comments", json={"text": "x"}, headers={"If-Match": '"7"'}),
            client.post(f"{path}/close", json={}),
            client.post(f"{path}/decision", json={"decision": "approved"}),
        ]
        results = client.post("/api/v1/commands", json=batch).json()["results"]
        return [
            *((each.status_code, each.json()["code"]) for each in asked),
            *((each["problem"]["status"], each["problem"]["code"]) for each in results),
        ]

    expected = answers(missing)
    assert expected[0] == (404, "review_not_found")
    assert answers(hidden) == answers(closed) == expected
    assert owner.client.get(f"{project.path}/reviews/{hidden}").json()["comments"] == []
    made(eve.client.post(f"{project.path}/reviews/{project.public_review}/comments", json={"text": "x"}))
    made(bob.client.post(f"{project.path}/reviews/{hidden}/comments", json={"text": "x"}))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_large_files_of_a_private_time_are_like_files_that_never_were(
    new_person: Any, anybody: httpx.Client, order: str
) -> None:
    """A page ends after some megabytes, of which nobody may learn who does not see them."""
    owner = new_person()
    created = made(owner.client.post(PROJECTS, json={"name": "Large"}))
    path = f"{PROJECTS}/{created['id']}"
    for letter in "abc":
        body = {"content": letter * 4_000_000}
        assert owner.client.put(f"{path}/files/secret.bin", json=body).is_success
    streams = {name: file_stream(created["id"], name) for name in ("secret.bin", "missing.bin")}

    def pages(what: str, query: str) -> list[dict[str, Any]]:
        asked = (anybody.get(what, params={query: name, "order": order}) for name in named[query])
        return [{**made(answer, 200), "position": None} for answer in asked]

    named = {"stream": list(streams.values()), "path": list(streams)}
    hidden, none = pages("/api/v1/events", "stream")
    assert hidden == none
    assert owner.client.delete(f"{path}/files/secret.bin").is_success
    made(owner.client.patch(path, json={"visibility": "public"}), 200)
    for what, query in (("/api/v1/events", "stream"), (f"{path}/history", "path")):
        hidden, none = pages(what, query)
        assert hidden == none == {"items": [], "nextCursor": None, "position": None}


def test_a_new_collaborator_sees_the_past_of_a_private_project(
    new_person: Any, bob: Person, eve: Person
) -> None:
    project = Published(new_person(), bob)
    refused(eve.client.get(project.path, params={"asOf": project.private}), 404, "project_not_found")
    role = {"role": "viewer"}
    made(project.owner.client.put(f"{project.path}/collaborators/{eve.id}", json=role), 200)
    assert eve.client.get(project.path, params={"asOf": project.private}).json()["name"] == SECRET


def test_a_repeated_command_shows_nothing_to_who_lost_the_right_to_see_it(
    new_person: Any, anybody: httpx.Client
) -> None:
    owner, member = new_person(), new_person()
    path = f"{PROJECTS}/{made(owner.client.post(PROJECTS, json={'name': 'Engine'}))['id']}"
    collaborator = f"{path}/collaborators/{member.id}"
    made(owner.client.put(collaborator, json={"role": "maintainer"}), 200)
    repeat = [
        ("PATCH", path, {"name": "Mine"}),
        ("PUT", f"{path}/files/a", {"content": "mine"}),
        ("POST", f"{path}/reviews", {"title": "mine"}),
    ]

    def send() -> list[httpx.Response]:
        return [
            member.client.request(method, to, json=body, headers={"Idempotency-Key": f"repeat-{number}"})
            for number, (method, to, body) in enumerate(repeat)
        ]

    assert all(answer.is_success for answer in send())
    again = send()
    assert [answer.headers["idempotency-replayed"] for answer in again] == ["true"] * 3
    mutation = (
        'mutation($id: ID!) { updateProject(projectId: $id, input: {name: "Ours"}, idempotencyKey: "g") {'
        " replayed project { name } } }"
    )
    asked = {"query": mutation, "variables": {"id": path.rpartition("/")[2]}}
    first = member.client.post("/graphql", json=asked).json()
    assert first["data"]["updateProject"]["project"] == {"name": "Ours"}, first
    assert owner.client.delete(collaborator).status_code == httpx.codes.NO_CONTENT
    for answer in send():
        refused(answer, 404, "project_not_found")
    shown = member.client.post("/graphql", json=asked).json()["data"]["updateProject"]
    assert shown == {"replayed": True, "project": None}
    made(owner.client.patch(path, json={"visibility": "public"}), 200)
    for answer in send():
        refused(answer, 404, "project_not_found")


def test_only_who_may_see_the_project_is_notified_of_a_mention(new_person: Any) -> None:
    owner, stranger, member = new_person(), new_person(), new_person()
    path = f"{PROJECTS}/{made(owner.client.post(PROJECTS, json={'name': 'Engine'}))['id']}"
    made(owner.client.put(f"{path}/collaborators/{member.id}", json={"role": "viewer"}), 200)
    body = {"title": f"@{stranger.name}", "description": f"@{stranger.name} @{member.name}"}
    review = made(owner.client.post(f"{path}/reviews", json=body))
    comment = {"text": f"@{stranger.name} @{member.name}"}
    shown = made(owner.client.post(f"{path}/reviews/{review['id']}/comments", json=comment))
    assert shown["comments"][0]["mentions"] == [member.id]

    def kinds(person: Person) -> list[str]:
        items = person.client.get("/api/v1/notifications").json()["items"]
        return [item["kind"] for item in items]

    assert kinds(stranger) == []
    assert kinds(member) == ["mentioned", "mentioned", "collaborator_added"]
    assert owner.client.delete(f"{path}/collaborators/{member.id}").status_code == httpx.codes.NO_CONTENT
    assert kinds(member) == ["collaborator_removed"]
