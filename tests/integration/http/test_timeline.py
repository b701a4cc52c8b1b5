"""The timeline of a project: its commits in one compact request, each with the position after it."""

import pytest

from tests.support.people import made, refused

SHAS = [f"{number:040x}" for number in range(1, 8)]


@pytest.fixture
def with_commits(ada, public):
    """Return the path of a public project with seven commits, of two files each."""
    path = f"/api/v1/projects/{public['id']}"
    for number, sha in enumerate(SHAS, start=1):
        changes = [
            {"path": name, "status": "A" if number == 1 else "M", "content": f"{name}{number}"}
            for name in ("a.txt", "b.txt")
        ]
        body = {
            "sha": sha,
            "message": f"Commit {number}\n\nIn detail.",
            "author": {"name": "Ada", "email": "ada@example.org"},
            "authoredAt": f"2026-01-0{number}T00:00:00Z",
            "parents": SHAS[number - 2 : number - 1],
            "changes": changes,
        }
        made(ada.client.post(f"{path}/commits", json=body))
    return path


def test_each_commit_is_there_once_oldest_first_in_few_words(anybody, with_commits):
    timeline = anybody.get(f"{with_commits}/timeline").json()
    assert [item["sha"] for item in timeline["items"]] == SHAS
    assert timeline["next"] is None
    first = timeline["items"][0]
    assert (first["number"], first["title"], first["authorName"]) == (1, "Commit 1", "Ada")
    assert first["authoredAt"] == "2026-01-01T00:00:00Z"
    assert len(anybody.get(f"{with_commits}/timeline").content) < 350 * len(SHAS)


def test_the_position_is_the_one_after_everything_that_the_commit_did(anybody, with_commits):
    items = anybody.get(f"{with_commits}/timeline").json()["items"]
    for item in (items[0], items[3], items[-1]):
        for name in ("a.txt", "b.txt"):
            file = anybody.get(f"{with_commits}/files/{name}", params={"asOf": item["position"]}).json()
            assert file["content"] == f"{name}{item['number']}"
    events = anybody.get(f"{with_commits}/history", params={"limit": 100}).json()["items"]
    assert items[-1]["sequence"] == events[-1]["sequence"]
    assert items[-1]["position"] == events[-1]["position"]


def test_it_goes_on_from_a_number(anybody, with_commits):
    seen, first = [], 1
    while first is not None:
        page = anybody.get(f"{with_commits}/timeline", params={"first": first, "limit": 3}).json()
        seen += [item["sha"] for item in page["items"]]
        first = page["next"]
    assert seen == SHAS
    assert anybody.get(f"{with_commits}/timeline", params={"first": 8}).json()["items"] == []


def test_its_own_position_is_where_live_events_go_on(ada, anybody, with_commits):
    before = anybody.get(f"{with_commits}/timeline")
    assert before.headers["codepark-position"] == before.json()["position"]
    made(ada.client.put(f"{with_commits}/files/c.txt", json={"content": "new"}))
    later = anybody.get(f"{with_commits}/history", params={"after": before.json()["position"]}).json()
    assert [event["data"]["path"] for event in later["items"]] == ["c.txt"]


def test_a_private_project_has_none_for_others(ada, anybody, project):
    path = f"/api/v1/projects/{project['id']}/timeline"
    assert ada.client.get(path).json()["items"] == []
    refused(anybody.get(path), 404, "project_not_found")
    refused(ada.client.get(path, params={"limit": 0}), 400, "invalid_input")
