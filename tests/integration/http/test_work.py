"""Commits, reviews, builds, insights and notifications of a project."""

from typing import Any

import pytest

from tests.support.graphql import data
from tests.support.insights import measured
from tests.support.people import Person, made, refused

COMMIT = {
    "message": "m",
    "author": {"name": "Linus", "email": "l@x.org"},
    "authoredAt": "2024-01-31T12:00:00+01:00",
}


def commit(
    person: Person, path: str, *changes: tuple[str, str, str | None], status: int = 201, **more: Any
) -> Any:
    listed = [{"path": p, "status": s, "content": c} for p, s, c in changes]
    return made(person.client.post(f"{path}/commits", json={**COMMIT, **more, "changes": listed}), status)


def versions(person: Person, path: str) -> dict[str, int]:
    return {item["path"]: item["version"] for item in person.client.get(f"{path}/files").json()["items"]}


def test_commits_change_files_in_order(ada: Person, path: str) -> None:
    first = commit(ada, path, ("a", "A", "1"), ("b", "A", None), ("gone", "D", None), sha="aaaa")
    assert (first["version"], first["sha"], first["parents"]) == (1, "aaaa", [])
    assert first["author"] == {"name": "Linus", "email": "l@x.org"}
    assert first["changes"] == [{"path": p, "status": s} for p, s in (("a", "A"), ("b", "A"), ("gone", "D"))]
    assert versions(ada, path) == {"a": 1, "b": 1}
    commit(ada, path, ("a", "M", "1"), ("b", "T", "link"), sha="bbbb", parents=["aaaa"])
    assert versions(ada, path) == {"a": 1, "b": 2}, "equal content is no new version"
    commit(ada, path, ("a", "D", None), sha="cccc")
    assert versions(ada, path) == {"b": 2}
    assert commit(ada, path, message="")["version"] == 4
    items = ada.client.get(f"{path}/commits").json()["items"]
    assert [item["version"] for item in items] == [4, 3, 2, 1]
    assert items[-1].keys() == {"sha", "message", "author", "authoredAt", "parents", "version"}
    touched = ada.client.get(f"{path}/commits", params={"path": "b"}).json()["items"]
    assert [item["sha"] for item in touched] == ["bbbb", "aaaa"]
    assert ada.client.get(f"{path}/commits/aaaa").json() == first
    refused(ada.client.get(f"{path}/commits/ffff"), 404, "commit_not_found")


def test_the_same_sha_again_changes_nothing(ada: Person, path: str) -> None:
    first = commit(ada, path, ("a", "A", "1"), sha="abcd")
    commit(ada, path, ("a", "M", "2"), sha="ef01")
    assert commit(ada, path, ("a", "A", "1"), sha="abcd", status=200) == first
    assert ada.client.get(f"{path}/files/a").json()["content"] == "2"


@pytest.mark.parametrize(
    "other",
    [
        {"changes": [{"path": "a", "status": "A", "content": "2"}]},
        {"changes": [{"path": "b", "status": "A", "content": "1"}]},
        {"changes": [{"path": "a", "status": "M", "content": "1"}]},
        {"changes": []},
        {"message": "another"},
        {"parents": ["beef"]},
        {"authoredAt": "2001-01-01T00:00:00Z"},
        {"author": {"name": "Eve"}},
    ],
)
def test_another_commit_with_a_known_sha_is_refused(ada: Person, path: str, other: dict[str, Any]) -> None:
    first = commit(ada, path, ("a", "A", "1"), sha="abcd")
    body = {**COMMIT, "sha": "abcd", "changes": [{"path": "a", "status": "A", "content": "1"}]}
    refused(ada.client.post(f"{path}/commits", json={**body, **other}), 409, "commit_recorded")
    project = path.rpartition("/")[2]
    batch = {"commands": [{"type": "commit.record", "target": project, "data": {**body, **other}}]}
    (result,) = ada.client.post("/api/v1/commands", json=batch).json()["results"]
    assert (result["status"], result["problem"]["code"]) == ("refused", "commit_recorded")
    assert ada.client.get(f"{path}/commits/abcd").json() == first
    assert ada.client.get(f"{path}/files/a").json()["content"] == "1"


def test_a_key_gives_the_first_outcome_of_a_commit_again(ada: Person, path: str) -> None:
    body = {**COMMIT, "sha": "abcd", "changes": [{"path": "a", "status": "A", "content": "1"}]}
    answers = [
        ada.client.post(f"{path}/commits", json=body, headers={"Idempotency-Key": key})
        for key in ("first", "first", "second", "second")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200]
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1


def test_a_part_with_other_content_for_recorded_paths_is_refused(ada: Person, path: str) -> None:
    commit(ada, path, ("a", "A", "1"), sha="abcd", complete=False, status=202)
    commit(ada, path, ("a", "A", "1"), sha="abcd", complete=False, status=202)
    change = {"path": "a", "status": "A", "content": "2"}
    body = {**COMMIT, "sha": "abcd", "complete": False, "changes": [change]}
    refused(ada.client.post(f"{path}/commits", json=body), 409, "commit_parts")
    commit(ada, path, ("b", "A", "1"), sha="abcd")
    refused(ada.client.post(f"{path}/commits", json=body), 409, "commit_recorded")


def test_a_commit_may_have_as_many_parents_as_any_that_is_known(ada: Person, path: str) -> None:
    parents = [f"{number:040x}" for number in range(66)]
    assert commit(ada, path, parents=parents)["parents"] == parents


def test_a_large_commit_comes_in_parts(ada: Person, path: str) -> None:
    for name in ("a", "b"):
        assert commit(ada, path, (name, "A", name), sha="abcd", complete=False, status=202) is None
    refused(ada.client.get(f"{path}/commits/abcd"), 404, "commit_not_found")
    recorded = commit(ada, path, ("c", "A", "c"), sha="abcd")
    assert [change["path"] for change in recorded["changes"]] == ["a", "b", "c"]
    assert versions(ada, path) == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"authoredAt": "yesterday"}, "/authoredAt"),
        ({"sha": "XYZ"}, "/sha"),
        ({"author": {"name": ""}}, "/author/name"),
        ({"changes": [{"path": "../x", "status": "A", "content": ""}]}, "/changes/0/path"),
        ({"changes": [{"path": "x", "status": "Q"}]}, "/changes/0/status"),
        ({"changes": [{"path": "x", "status": "A", "content": ""}] * 2}, "/changes/1/path"),
    ],
)
def test_a_bad_commit_says_where(ada: Person, path: str, more: dict[str, Any], pointer: str) -> None:
    answer = ada.client.post(f"{path}/commits", json={**COMMIT, **more})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_review_from_opening_to_close(ada: Person, bob: Person, eve: Person, path: str) -> None:
    for person in (bob, eve):
        made(ada.client.put(f"{path}/collaborators/{person.id}", json={"role": "editor"}), 200)
    opened = ada.client.post(f"{path}/reviews", json={"title": "Look", "description": "@eve please"})
    review, url = made(opened), opened.headers["location"]
    assert url == f"{path}/reviews/{review['id']}"
    assert (review["author"], review["comments"]) == ({"id": ada.id, "name": "Ada"}, [])
    refused(ada.client.post(f"{url}/decision", json={"decision": "approved"}), 409, "own_review")
    commented = bob.client.post(f"{url}/comments", json={"text": "fine, @Ada", "path": "a.py", "line": 3})
    comment = made(commented)["comments"][0]
    assert (comment["author"]["name"], comment["mentions"], comment["line"]) == ("Bob", [ada.id], 3)
    refused(bob.client.post(f"{url}/comments", json={"text": "x", "line": 3}), 400, "invalid")
    decided = made(bob.client.post(f"{url}/decision", json={"decision": "approved"}), 200)
    assert decided["decisions"][0]["reviewerId"] == bob.id
    listed = ada.client.get(f"{path}/reviews").json()["items"][0]
    assert (listed["id"], "comments" in listed) == (review["id"], False)
    assert made(ada.client.post(f"{url}/close"), 200)["status"] == "closed"
    refused(bob.client.post(f"{url}/comments", json={"text": "late"}), 409, "review_closed")
    notifications = eve.client.get("/api/v1/notifications", params={"unread": True}).json()["items"]
    assert review["id"] in [item["reviewId"] for item in notifications]


def test_notifications_are_read_one_by_one_or_all(ada: Person, bob: Person, path: str) -> None:
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "editor"}), 200)

    def unread() -> list[str]:
        return [
            n["id"] for n in bob.client.get("/api/v1/notifications?unread=true&limit=100").json()["items"]
        ]

    for _ in range(3):
        made(ada.client.post(f"{path}/reviews", json={"title": "for @bob"}))
    before = unread()
    assert len(before) >= 3
    assert bob.client.post("/api/v1/notifications/read", json={"ids": before[:1]}).status_code == 204
    assert unread() == before[1:]
    assert bob.client.post("/api/v1/notifications/read").status_code == 204
    assert unread() == []
    assert before[0] in [
        n["id"] for n in bob.client.get("/api/v1/notifications?unread=false&limit=100").json()["items"]
    ]


def test_builds_move_only_forward(ada: Person, path: str) -> None:
    queued = ada.client.post(f"{path}/builds", json={"name": "ci", "commit": "abcd"})
    build, url = made(queued), queued.headers["location"]
    assert (build["status"], build["commit"]) == ("queued", "abcd")
    assert made(ada.client.patch(url, json={"status": "running"}), 200)["version"] == 2
    assert made(ada.client.patch(url, json={"status": "running"}), 200)["version"] == 2
    assert made(ada.client.patch(url, json={"status": "passed"}), 200)["status"] == "passed"
    for status in ("queued", "running", "failed"):
        assert ada.client.patch(url, json={"status": status}).status_code == 409
    assert ada.client.get(f"{path}/builds").json()["items"][0]["id"] == build["id"]


def test_insights_measure_what_was_just_written(ada: Person, path: str) -> None:
    branches = "".join(f"    if n == {number}:\n        return {number}\n" for number in range(20))
    content = f"def long(n):\n{branches}    return n\n"
    written = ada.client.put(f"{path}/files/long.py", json={"content": content})
    insights = measured(ada.client, path, written)
    assert insights["insightsPending"] is False
    assert (insights["functions"], insights["files"], insights["complexity"]) == (1, 1, 21)
    worst = insights["suggestions"][0]
    assert (worst["file"], worst["function"], worst["model"]) == ("long.py", "long", insights["models"][0])
    assert ada.client.get(path).json()["insightsPending"] is False
    project = ada.client.get(path).json()["aiInsights"]
    assert project["complexity"] == 21
    assert all(isinstance(sentence, str) for sentence in project["suggestions"])


def test_files_that_nobody_here_wrote_are_left_out_of_the_insights(ada: Person, path: str) -> None:
    complex_one = "function gj(a){" + "if(a)a=1;" * 30 + "}"
    own = ada.client.put(f"{path}/files/own.js", json={"content": "function f(a) {\n  return a;\n}\n"})
    made(own)
    made(ada.client.put(f"{path}/files/react.min.js", json={"content": complex_one}))
    made(ada.client.put(f"{path}/files/node_modules/a/index.js", json={"content": complex_one}))
    written = ada.client.put(
        f"{path}/files/api.go",
        json={"content": "// Code generated by a program. DO NOT EDIT.\n\npackage a\n"},
    )
    insights = measured(ada.client, path, written)
    assert (insights["files"], insights["functions"], insights["complexity"]) == (4, 1, 1)
    assert (insights["suggestions"], insights["filesLeftOut"]) == ([], 3)
    assert {entry["file"]: entry["reason"] for entry in insights["leftOut"]} == {
        "api.go": "generated",
        "node_modules/a/index.js": "vendored",
        "react.min.js": "minified",
    }
    query = "query ($p: ID!) { insights(projectId: $p) { filesLeftOut leftOut { file reason } } }"
    shown = data(ada.client, query, p=path.rpartition("/")[2])["insights"]
    assert (shown["filesLeftOut"], shown["leftOut"][0]) == (3, {"file": "api.go", "reason": "GENERATED"})


def problems_of(person: Person, commands: bytes) -> list[dict[str, Any]]:
    """Return the problems of a batch whose *commands* are all refused."""
    headers = {"Content-Type": "application/json"}
    answer = person.client.post("/api/v1/commands", content=b'{"commands": [%s]}' % commands, headers=headers)
    assert answer.status_code == 200, answer.text
    return [result["problem"] for result in answer.json()["results"]]


def test_a_refused_command_of_a_batch_names_the_place_in_the_batch(ada: Person, project: Any) -> None:
    update = b'{"type": "project.update", "target": "%s", "data": ' % project["id"].encode()
    bodies = (
        b'{"name": "  "}',
        b'{"name": ""}',
        b'{"publishHistory": true}',
        b'{"name": "\xff"}',
        b'{"name": 1e999}',
    )
    found = problems_of(ada, b", ".join(update + body + b"}" for body in bodies))
    assert [problem["errors"][0]["pointer"] for problem in found] == [
        "/commands/0/data/name",
        "/commands/1/data/name",
        "/commands/2/data/publishHistory",
        "/commands/3/data",
        "/commands/4/data/name",
    ]
    assert {problem["status"] for problem in found} == {400}
    assert [found[0]["detail"], found[3]["detail"]] == [
        "name: write between 1 and 100 characters",
        "the data is not UTF-8",
    ]


def test_a_target_is_where_its_command_has_one(ada: Person) -> None:
    missing, needless = problems_of(
        ada,
        b'{"type": "project.delete", "data": {}}, '
        b'{"type": "project.create", "target": "mine", "data": {"name": "x"}}',
    )
    assert missing["detail"] == "write target too: project.delete needs the id of a project"
    assert needless["detail"] == "leave target out: project.create has none"
    assert [each["errors"][0]["pointer"] for each in (missing, needless)] == [
        "/commands/0/target",
        "/commands/1/target",
    ]
