"""`asOf` on every query of a project: what was there at a position, at a time, and by the authors' clocks."""

from typing import Any

import httpx
import pytest

from tests.support.graphql import data
from tests.support.insights import measured
from tests.support.people import Person, made, refused

TANGLED = "def pick(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(14))


def commit(number: int, authored_at: str, *changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "sha": f"{number:040x}",
        "message": f"Commit {number}",
        "author": {"name": "Ada"},
        "authoredAt": authored_at,
        "changes": list(changes),
    }


def position(answer: httpx.Response) -> str:
    assert answer.is_success, answer.text
    return answer.headers["codepark-position"]


@pytest.fixture
def everything(ada: Person, bob: Person, path: str) -> dict[str, Any]:
    """A project in which everything changes after the moment `then`."""
    client = ada.client
    made(client.put(f"{path}/files/a.py", json={"content": TANGLED}))
    made(client.post(f"{path}/commits", json=commit(1, "2020-01-01T10:00:00Z")))
    review = made(client.post(f"{path}/reviews", json={"title": "Look"}))["id"]
    made(client.post(f"{path}/reviews/{review}/comments", json={"text": "Hm"}))
    build = made(client.post(f"{path}/builds", json={"name": "ci"}))["id"]
    put = client.put(f"{path}/collaborators/{bob.id}", json={"role": "viewer"})
    made(put, 200)
    measured(client, path, put)
    pages = ["", "/files", "/files/a.py", "/commits", f"/commits/{1:040x}", "/reviews", f"/reviews/{review}"]
    pages += ["/builds", f"/builds/{build}", "/insights", "/collaborators", f"/collaborators/{bob.id}"]
    then = position(put)
    made(client.get(f"{path}/insights", headers={"CodePark-After": then}), 200)  # waits until it is measured
    shown = {page: made(client.get(f"{path}{page}"), 200) for page in pages}
    made(client.patch(f"{path}/builds/{build}", json={"status": "running"}), 200)
    made(client.post(f"{path}/reviews/{review}/comments", json={"text": "Hm again"}))
    made(client.post(f"{path}/reviews/{review}/close", json={}), 200)
    made(client.post(f"{path}/reviews", json={"title": "Another"}))
    made(client.post(f"{path}/builds", json={"name": "later"}))
    changes = [
        {"path": "a.py", "status": "M", "content": "x = 1\n"},
        {"path": "b", "status": "A", "content": "b"},
    ]
    made(client.post(f"{path}/commits", json=commit(2, "2021-01-01T10:00:00Z", *changes)))
    made(client.patch(path, json={"name": "Renamed"}), 200)
    assert client.delete(f"{path}/collaborators/{bob.id}").status_code == 204
    return {"shown": shown, "then": then, "review": review, "build": build}


def test_every_query_of_a_project_answers_for_a_moment_and_says_which(
    ada: Person, path: str, everything: dict[str, Any]
) -> None:
    then = everything["then"]
    for page, shown in everything["shown"].items():
        answer = ada.client.get(f"{path}{page}", params={"asOf": then})
        assert made(answer, 200) == shown, page
        assert answer.headers["codepark-position"] == then, page
        if page != f"/commits/{1:040x}":
            assert ada.client.get(f"{path}{page}").text != answer.text, page


def test_a_past_answer_that_the_client_has_is_304_with_its_position(
    ada: Person, path: str, everything: dict[str, Any]
) -> None:
    params = {"asOf": everything["then"]}
    for page in ("", "/files/a.py", f"/reviews/{everything['review']}"):
        tag = ada.client.get(f"{path}{page}", params=params).headers["etag"]
        again = ada.client.get(f"{path}{page}", params=params, headers={"If-None-Match": tag})
        assert (again.status_code, again.headers["codepark-position"]) == (304, everything["then"])


def test_what_came_later_is_not_there(ada: Person, path: str, everything: dict[str, Any]) -> None:
    params = {"asOf": everything["then"]}
    refused(ada.client.get(f"{path}/files/b", params=params), 404, "file_not_found")
    refused(ada.client.get(f"{path}/commits/{2:040x}", params=params), 404, "commit_not_found")
    later = ada.client.get(f"{path}/reviews").json()["items"][0]["id"]
    refused(ada.client.get(f"{path}/reviews/{later}", params=params), 404, "review_not_found")
    before = {"asOf": "2001-01-01T00:00:00Z"}
    for page in everything["shown"]:
        problem = refused(ada.client.get(f"{path}{page}", params=before), 404, "project_not_found")
        assert "was not there yet at that moment" in problem["detail"]


def test_the_history_ends_at_the_moment(ada: Person, path: str, everything: dict[str, Any]) -> None:
    then = everything["then"]
    answer = ada.client.get(f"{path}/history", params={"asOf": then, "limit": 100})
    events = made(answer, 200)["items"]
    assert events[-1]["type"] == "collaborator.added"
    assert (answer.headers["codepark-position"], answer.json()["nextCursor"]) == (then, None)
    first = ada.client.get(f"{path}/history", params={"asOf": then, "limit": 2}).json()
    rest = {"asOf": then, "after": first["nextCursor"], "limit": 100}
    assert first["items"] + ada.client.get(f"{path}/history", params=rest).json()["items"] == events


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z", "5"]
)
def test_a_moment_that_is_none_says_what_to_write(ada: Person, path: str, moment: str) -> None:
    for page in ("", "/history", "/files", "/insights"):
        problem = refused(ada.client.get(f"{path}{page}", params={"asOf": moment}), 400, "invalid_input")
        assert problem["detail"].startswith(
            "asOf: write an RFC 3339 time with its offset, such as 2026-01-31T"
        )
        assert problem["errors"][0]["pointer"] == "/asOf"


GRAPHQL = """
query ($p: ID!, $r: ID!, $sha: String!, $asOf: String) {
  files(projectId: $p, asOf: $asOf) { nodes { path version content } }
  file(projectId: $p, path: "a.py", asOf: $asOf) { version content }
  commits(projectId: $p, asOf: $asOf) { nodes { sha } }
  commit(projectId: $p, sha: $sha, asOf: $asOf) { message changes { path } }
  reviews(projectId: $p, asOf: $asOf) { nodes { title status comments { text } project { name } } }
  review(projectId: $p, id: $r, asOf: $asOf) { status version comments { text } }
}
"""
MORE = """
query ($p: ID!, $b: ID!, $asOf: String) {
  builds(projectId: $p, asOf: $asOf) { nodes { name status project { name } } }
  build(projectId: $p, id: $b, asOf: $asOf) { status }
  insights(projectId: $p, asOf: $asOf) { files functions complexity }
  history(projectId: $p, asOf: $asOf, first: 100) { nodes { type } }
  project(id: $p, asOf: $asOf) {
    name collaborators { id role } history(first: 100) { nodes { type } }
    reviews { nodes { comments { text } } }
  }
}
"""


def test_every_field_of_a_project_answers_for_a_moment(
    ada: Person, bob: Person, project: Any, everything: dict[str, Any]
) -> None:
    variables = {"p": project["id"], "asOf": everything["then"]}
    past = data(ada.client, GRAPHQL, **variables, r=everything["review"], sha=f"{1:040x}")
    past |= data(ada.client, MORE, **variables, b=everything["build"])
    assert past["files"]["nodes"] == [{"path": "a.py", "version": 1, "content": TANGLED}]
    assert past["file"] == {"version": 1, "content": TANGLED}
    assert past["commits"]["nodes"] == [{"sha": f"{1:040x}"}]
    assert past["commit"] == {"message": "Commit 1", "changes": []}
    review = {"title": "Look", "status": "open", "comments": [{"text": "Hm"}]}
    assert past["reviews"]["nodes"] == [{**review, "project": {"name": project["name"]}}]
    assert past["review"] == {"status": "open", "version": 2, "comments": [{"text": "Hm"}]}
    assert past["builds"]["nodes"] == [
        {"name": "ci", "status": "QUEUED", "project": {"name": project["name"]}}
    ]
    assert past["build"] == {"status": "QUEUED"}
    shown = everything["shown"]["/insights"]
    assert past["insights"] == {name: shown[name] for name in ("files", "functions", "complexity")}
    assert past["history"]["nodes"][-1] == {"type": "collaborator.added"}
    assert past["project"]["name"] == project["name"]
    assert past["project"]["collaborators"] == [{"id": bob.id, "role": "VIEWER"}]
    assert past["project"]["history"] == past["history"]
    assert past["project"]["reviews"]["nodes"] == [{"comments": [{"text": "Hm"}]}]


def test_a_graphql_answer_says_which_moment_it_shows(ada: Person, project: Any, path: str) -> None:
    then = position(ada.client.patch(path, json={"name": "Then"}))
    later = position(ada.client.patch(path, json={"name": "Later"}))

    def shown(*moments: str) -> str | None:
        fields = (f'p{n}: project(id: $id, asOf: "{moment}") {{ name }}' for n, moment in enumerate(moments))
        body = {"query": f"query ($id: ID!) {{ {' '.join(fields)} }}", "variables": {"id": project["id"]}}
        answer: httpx.Response = ada.client.post("/graphql", json=body)
        assert "errors" not in answer.json(), answer.text
        return answer.headers.get("codepark-position")

    assert shown(then) == then
    assert shown(then, then) == then
    assert shown(then, later) is None, "no position says both"


IMPORTED = (
    "2018-03-01T12:00:00+01:00",
    "2020-05-05T23:30:00Z",
    "2019-01-01T00:00:00Z",
    "2022-07-01T00:00:00Z",
)


@pytest.fixture
def imported(ada: Person, path: str) -> str:
    for number, authored_at in enumerate(IMPORTED):
        change = {"path": f"{number}.txt", "status": "A", "content": f"{number}"}
        made(ada.client.post(f"{path}/commits", json=commit(number, authored_at, change)))
    return path


@pytest.mark.parametrize(
    ("moment", "files"),
    [
        ("2018-03-01", 1),
        ("2018-03-01T11:00:00Z", 1),
        ("2018-03-01T12:00:00+01:00", 1),
        ("2020-05-05T23:00:00Z", 1),
        ("2020-05-05", 3),
        ("2021-01-01", 3),
        ("2022-07-01", 4),
        ("2999-01-01", 4),
    ],
)
def test_an_imported_history_can_be_seen_by_its_own_time(
    ada: Person, imported: str, moment: str, files: int
) -> None:
    params = {"asOf": f"authored:{moment}"}
    listed = ada.client.get(f"{imported}/files", params=params)
    assert len(made(listed, 200)["items"]) == files
    token = listed.headers["codepark-position"]
    for page in ("", "/files", "/files/0.txt", "/commits", f"/commits/{0:040x}", "/insights"):
        answer = ada.client.get(f"{imported}{page}", params=params)
        by_position = ada.client.get(f"{imported}{page}", params={"asOf": token})
        assert made(answer, 200) == by_position.json()
        assert answer.headers["codepark-position"] == token


def test_before_its_first_commit_an_imported_history_has_no_state(ada: Person, imported: str) -> None:
    for page in ("", "/files", "/commits", "/insights"):
        params = {"asOf": "authored:2018-03-01T10:59:59Z"}
        refused(ada.client.get(f"{imported}{page}", params=params), 404, "commit_not_found")


def test_only_what_commits_make_can_be_seen_by_the_authors_time(
    ada: Person, imported: str, project: Any
) -> None:
    params = {"asOf": "authored:2021-01-01"}
    for page in ("/reviews", "/reviews/x", "/builds", "/builds/x", "/collaborators", "/history"):
        problem = refused(ada.client.get(f"{imported}{page}", params=params), 400, "invalid_input")
        assert "authored:" in problem["detail"]
    field = 'project(id: $id, asOf: "authored:2021-01-01") { files { nodes { path content } } %s }'
    query = f"query ($id: ID!) {{ {field} }}"
    whole = data(ada.client, query % "insights { files }", id=project["id"])["project"]
    assert [file["content"] for file in whole["files"]["nodes"]] == ["0", "1", "2"]
    assert whole["insights"] == {"files": 3}
    body = {"query": query % "reviews { nodes { id } }", "variables": {"id": project["id"]}}
    assert "authored:" in ada.client.post("/graphql", json=body).json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "moment",
    [
        "authored:",
        "authored:last week",
        "authored:2021-02-30",
        "authored:2021",
        "authored:0000-00-00",
        "authored:2021-01-01T00:00:00",
        "authored:9999-12-31",
    ],
)
def test_a_time_of_authors_is_a_date_or_a_time_with_its_offset(ada: Person, path: str, moment: str) -> None:
    answer = ada.client.get(f"{path}/files", params={"asOf": moment})
    assert answer.status_code in ({400, 404} if moment.endswith("9999-12-31") else {400}), answer.text


def test_a_past_without_a_token_is_that_of_public_projects(
    ada: Person, anybody: httpx.Client, public: Any
) -> None:
    path = f"/api/v1/projects/{public['id']}"
    private = position(ada.client.patch(path, json={"visibility": "private"}))
    made(ada.client.patch(path, json={"visibility": "public"}), 200)
    for page in ("", "/files", "/commits", "/reviews", "/builds", "/insights", "/collaborators"):
        refused(anybody.get(f"{path}{page}", params={"asOf": private}), 404, "project_not_found")
        assert ada.client.get(f"{path}{page}", params={"asOf": private}).is_success
