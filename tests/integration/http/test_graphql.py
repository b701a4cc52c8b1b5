"""GraphQL answers as REST does: the same documents, the same refusals, in both profiles."""

from typing import Any

import httpx
import pytest

from tests.support.graphql import data, refused, send
from tests.support.insights import measured
from tests.support.people import Person, made
from tests.support.server import Server

PROJECTS = "/api/v1/projects"
GUIDE = "{ projects { id name collaborators { id name } aiInsights { complexity suggestions } } }"
PYTHON = "def pick(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))


def test_the_query_of_the_guide(ada: Person, bob: Person) -> None:
    ids = [made(ada.client.post(PROJECTS, json={"name": f"Guide {n}"}))["id"] for n in range(21)]
    path = f"{PROJECTS}/{ids[-1]}"
    measured(ada.client, path, ada.client.put(f"{path}/files/pick.py", json={"content": PYTHON}))
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "viewer"}), 200)
    projects = data(ada.client, GUIDE)["projects"]
    listed = ada.client.get(PROJECTS).json()["items"]
    assert len(projects) == 20
    assert projects == [
        {
            "id": item["id"],
            "name": item["name"],
            "collaborators": [{"id": c["id"], "name": c["name"]} for c in item["collaborators"]],
            "aiInsights": item["aiInsights"],
        }
        for item in listed
    ]
    assert projects[0]["collaborators"] == [{"id": bob.id, "name": "Bob"}]
    assert projects[0]["aiInsights"]["complexity"] == 13
    assert projects[0]["aiInsights"]["suggestions"] == [
        "Split `pick` in pick.py: its cyclomatic complexity is 13, above 10."
    ]


def test_lists_show_what_their_reader_may_see(
    ada: Person, eve: Person, anybody: httpx.Client, public: Any
) -> None:
    hidden = made(ada.client.post(PROJECTS, json={"name": "Hidden"}))["id"]
    query = "{ projects(limit: 100) { id } }"
    seen = [{item["id"] for item in data(c, query)["projects"]} for c in (ada.client, eve.client, anybody)]
    assert [hidden in ids for ids in seen] == [True, False, False]
    assert [public["id"] in ids for ids in seen] == [True, True, True]
    for client in (eve.client, anybody):
        one = refused(
            client, "query ($id: ID!) { project(id: $id) { id } }", 404, "project_not_found", id=hidden
        )
        assert one["path"] == ["project"]
        for kind in ("files", "commits", "reviews", "builds", "history"):
            many = f"query ($id: ID!) {{ {kind}(projectId: $id) {{ pageInfo {{ hasNextPage }} }} }}"
            refused(client, many, 404, "project_not_found", id=hidden)
        assert data(client, "query ($id: ID!) { node(id: $id) { id } }", id=hidden) == {"node": None}


def test_a_connection_leads_through_the_whole_list(ada: Person) -> None:
    word = "zebra"
    ids = [made(ada.client.post(PROJECTS, json={"name": f"{word} {n}"}))["id"] for n in range(5)]
    query = (
        'query ($after: String) { projectsConnection(search: "zebra", sort: "createdAt", first: 2,'
        " after: $after)"
        " { edges { cursor node { id } } nodes { name } pageInfo"
        " { hasNextPage hasPreviousPage endCursor } } }"
    )
    seen, after = [], None
    for expected in (True, True, False):
        page = data(ada.client, query, after=after)["projectsConnection"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (
            expected,
            after is not None,
        )
        after = page["pageInfo"]["endCursor"]
    assert seen == ids
    from_the_middle = data(ada.client, query, after=page_cursor(ada, query, 1))["projectsConnection"]
    assert [edge["node"]["id"] for edge in from_the_middle["edges"]] == ids[2:4]


def page_cursor(person: Person, query: str, place: int) -> str:
    cursor: str = data(person.client, query)["projectsConnection"]["edges"][place]["cursor"]
    return cursor


WHOLE = """
query ($id: ID!, $asOf: String) {
  project(id: $id, asOf: $asOf) {
    __typename name visibility
    owner { name email }
    files { nodes { path content size language } }
    commits { nodes { sha message changes { path status } author { name } } }
    reviews { nodes { title status author { name } comments { text author { name } } } }
    builds { nodes { name status project { id } } }
    insights { complexity functions suggestions { file function reason } }
    history(first: 2) { nodes { type version } pageInfo { hasNextPage } }
  }
}
"""


def test_a_project_with_everything_in_it_now_and_as_it_was(ada: Person, project: Any, path: str) -> None:
    commit = {
        "message": "First",
        "author": {"name": "Ada"},
        "authoredAt": "2024-05-01T10:00:00Z",
        "changes": [{"path": "a.py", "status": "A", "content": "def f(a):\n    return a or 1\n"}],
    }
    recorded = ada.client.post(f"{path}/commits", json=commit)
    then = recorded.headers["codepark-position"]
    review = made(ada.client.post(f"{path}/reviews", json={"title": "Look", "commits": []}))["id"]
    made(ada.client.post(f"{path}/reviews/{review}/comments", json={"text": "Hm"}))
    made(ada.client.post(f"{path}/builds", json={"name": "ci"}))
    measured(ada.client, path, ada.client.put(f"{path}/files/b.md", json={"content": "# b"}))
    now = data(ada.client, WHOLE, id=project["id"])["project"]
    assert (now["__typename"], now["visibility"]) == ("Project", "PRIVATE")
    assert now["owner"] == {"name": "Ada", "email": ada.email}
    assert [file["path"] for file in now["files"]["nodes"]] == ["a.py", "b.md"]
    assert now["commits"]["nodes"] == [
        {
            "sha": recorded.json()["sha"],
            "message": "First",
            "changes": [{"path": "a.py", "status": "ADDED"}],
            "author": {"name": "Ada"},
        }
    ]
    comment = {"text": "Hm", "author": {"name": "Ada"}}
    assert now["reviews"]["nodes"] == [
        {"title": "Look", "status": "open", "author": {"name": "Ada"}, "comments": [comment]}
    ]
    assert now["builds"]["nodes"] == [{"name": "ci", "status": "QUEUED", "project": {"id": project["id"]}}]
    assert (now["insights"]["complexity"], now["insights"]["functions"]) == (2, 1)
    assert [event["type"] for event in now["history"]["nodes"]] == ["project.created", "commit.recorded"]
    past = data(ada.client, WHOLE, id=project["id"], asOf=then)["project"]
    assert [file["path"] for file in past["files"]["nodes"]] == ["a.py"]
    assert past["files"]["nodes"][0]["content"] == commit["changes"][0]["content"]  # type: ignore[index]
    assert (past["reviews"]["nodes"], past["builds"]["nodes"]) == ([], [])
    assert past["commits"] == now["commits"]


def test_nodes_are_found_by_their_ids(ada: Person, project: Any, path: str) -> None:
    made(ada.client.put(f"{path}/files/a.txt", json={"content": "a"}))
    build = made(ada.client.post(f"{path}/builds", json={}))["id"]
    file = data(ada.client, 'query ($p: ID!) { file(projectId: $p, path: "a.txt") { id } }', p=project["id"])
    query = (
        "query ($id: ID!) { node(id: $id) { __typename id ... on Project { name } ... on Account { email } "
        "... on File { path content } ... on Build { status } } }"
    )
    nodes = {
        id_: data(ada.client, query, id=id_)["node"]
        for id_ in (project["id"], ada.id, build, file["file"]["id"])
    }
    assert [(node["__typename"], node["id"]) for node in nodes.values()] == list(
        zip(("Project", "Account", "Build", "File"), nodes, strict=True)
    )
    assert nodes[ada.id]["email"] == ada.email
    assert nodes[file["file"]["id"]]["content"] == "a"
    for nothing in ("01900000-0000-7000-8000-000000000000", "x", "RmlsZTov", "/", "UXVlcnk6eA"):
        assert data(ada.client, query, id=nothing) == {"node": None}


def test_accounts_tell_others_their_name_alone(ada: Person, bob: Person, admin: httpx.Client) -> None:
    query = "query ($id: ID!) { account(id: $id) { name email roles tier version } }"
    assert data(bob.client, query, id=ada.id)["account"] == {
        "name": "Ada",
        "email": None,
        "roles": None,
        "tier": None,
        "version": 1,
    }
    for client in (ada.client, admin):
        assert data(client, query, id=ada.id)["account"]["email"] == ada.email
    refused(bob.client, query, 404, "account_not_found", id="01900000-0000-7000-8000-000000000000")


def test_a_field_that_needs_a_sign_in_refuses_anonymous_senders(
    anybody: httpx.Client, server: Server
) -> None:
    refused(anybody, "{ me { id } }", 401, "authentication_required")
    refused(anybody, "{ notifications { nodes { id } } }", 401, "authentication_required")
    refused(
        anybody, 'mutation { createProject(input: {name: "x"}) { version } }', 401, "authentication_required"
    )
    with server.client("nonsense") as stranger:
        answer = send(stranger, GUIDE)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["errors"][0]["extensions"]["code"] == "invalid_token"
        assert "data" not in answer.json()


def test_notifications_announcements_and_commands(
    ada: Person, bob: Person, admin: httpx.Client, path: str
) -> None:
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "editor"}), 200)
    review = ada.client.post(f"{path}/reviews", json={"title": "Look, @Bob"})
    command = review.headers["codepark-command"]
    query = (
        "{ notifications(unread: true, first: 1) { nodes { kind read actor { name } project { name } } } }"
    )
    assert data(bob.client, query)["notifications"]["nodes"] == [
        {"kind": "mentioned", "read": False, "actor": {"name": "Ada"}, "project": {"name": "Engine"}}
    ]
    data(bob.client, "mutation { readNotifications { changed } }")
    assert data(bob.client, query)["notifications"]["nodes"] == []
    announcement = data(
        admin,
        (
            'mutation { publishAnnouncement(input: {title: "Hear", text: "all"}) { announcement'
            " { id title author { name } } } }"
        ),
    )["publishAnnouncement"]["announcement"]
    assert (announcement["title"], announcement["author"]) == ("Hear", {"name": "service:cli"})
    listed = data(bob.client, "{ announcements(first: 1) { nodes { id text } } }")["announcements"]["nodes"]
    assert listed == [{"id": announcement["id"], "text": "all"}]
    known = "query ($id: ID!) { command(id: $id) { status version } }"
    assert data(ada.client, known, id=command)["command"] == {"status": "accepted", "version": 1}
    assert data(bob.client, known, id=command)["command"] == {"status": "unknown", "version": None}


def test_events_are_paged_by_position(ada: Person, project: Any, path: str) -> None:
    for number in range(3):
        made(ada.client.put(f"{path}/files/{number}", json={"content": "1"}))
    query = (
        "query ($id: ID!, $after: String) { history(projectId: $id, first: 2, after: $after, type:"
        ' "file.written")'
        " { nodes { type data project { name } } pageInfo { hasNextPage endCursor } position } }"
    )
    first = data(ada.client, query, id=project["id"])["history"]
    assert [event["data"]["path"] for event in first["nodes"]] == ["0", "1"]
    assert first["nodes"][0]["project"] == {"name": "Engine"}
    last = data(ada.client, query, id=project["id"], after=first["pageInfo"]["endCursor"])["history"]
    assert [event["data"]["path"] for event in last["nodes"]] == ["2"]
    assert last["pageInfo"]["hasNextPage"] is False
    refused(ada.client, '{ events(type: "nonsense") { position } }', 400, "invalid_input")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("{ projects(limit: 0) { id } }", "limit"),
        ("{ projects(limit: 101) { id } }", "limit"),
        ('{ projects(sort: "size") { id } }', "sort"),
        ('{ projectsConnection(after: "?") { nodes { id } } }', "after"),
        ('{ project(id: "") { id } }', "id"),
    ],
)
def test_bad_arguments_are_refused_by_name(anybody: httpx.Client, query: str, pointer: str) -> None:
    assert refused(anybody, query, 400, "invalid_input")["extensions"]["pointer"] == f"/{pointer}"


def test_an_answer_includes_the_position_of_the_request(ada: Person, anybody: httpx.Client) -> None:
    answer = send(
        ada.client, 'mutation { createProject(input: {name: "Seen", visibility: PUBLIC}) { project { id } } }'
    )
    id_ = answer.json()["data"]["createProject"]["project"]["id"]
    after = {"CodePark-After": answer.headers["codepark-position"]}
    query = "query ($id: ID!) { project(id: $id) { name } }"
    assert data(anybody, query, after, id=id_) == {"project": {"name": "Seen"}}
    bad = send(anybody, "{ projects { id } }", {"CodePark-After": "AAAA"}).json()["errors"][0]
    assert bad["extensions"]["code"] == "invalid_position"
