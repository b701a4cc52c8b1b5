"""What one request may take: pages end by bytes, answers have a largest size and say what is missing."""

import httpx
import pytest

from tests.support.graphql import send
from tests.support.people import made

MEGABYTE = 1024 * 1024
LARGE = "x" * (4 * MEGABYTE)


@pytest.fixture
def files(ada, public):
    """Return the id of a public project with four files of four megabytes."""
    path = f"/api/v1/projects/{public['id']}"
    for number in range(4):
        made(ada.client.put(f"{path}/files/{number}.txt", json={"content": f"{number}{LARGE}"}))
    return public["id"]


def walked(client: httpx.Client, path: str, limit: int = 100) -> tuple[list[dict], int, int]:
    """Return the items of all pages, how many pages there were, and the size of the largest."""
    items, pages, largest, cursor = [], 0, 0, None
    while pages == 0 or cursor is not None:
        answer = client.get(path, params={"limit": limit} | ({} if cursor is None else {"cursor": cursor}))
        page = made(answer, 200)
        assert page["items"], "each page has an item"
        items += page["items"]
        pages, largest, cursor = pages + 1, max(largest, len(answer.content)), page["nextCursor"]
    return items, pages, largest


def test_the_history_of_large_files_comes_in_pages_of_some_megabytes(anybody, files):
    events, pages, largest = walked(anybody, f"/api/v1/projects/{files}/history")
    assert [event["data"].get("path") for event in events] == [None, *(f"{n}.txt" for n in range(4))]
    assert pages >= 3
    assert largest < 9 * MEGABYTE


def test_a_list_of_commits_with_long_messages_comes_in_pages(ada, anybody, public):
    path = f"/api/v1/projects/{public['id']}/commits"
    commands = [
        {
            "type": "commit.record",
            "target": public["id"],
            "data": {
                "sha": f"{number:040x}",
                "message": f"{number} " + "é" * 99_000,
                "author": {"name": "Ada"},
                "authoredAt": "2026-01-01T00:00:00Z",
                "changes": [],
            },
        }
        for number in range(1, 41)
    ]
    for start in (0, 20):
        results = made(
            ada.client.post("/api/v1/commands", json={"commands": commands[start : start + 20]}), 200
        )
        assert {result["status"] for result in results["results"]} == {"accepted"}
    commits, pages, largest = walked(anybody, path)
    assert [commit["message"].split()[0] for commit in commits] == [str(n) for n in range(40, 0, -1)]
    assert (pages > 1, largest < 5 * MEGABYTE) == (True, True)


def test_a_graphql_answer_shows_contents_until_it_is_full_and_says_so(anybody, files):
    nodes = f'project(id: "{files}") {{ files(first: 5) {{ nodes {{ path content }} }} }}'
    answer = send(anybody, "{ " + " ".join(f"a{n}: {nodes}" for n in range(15)) + " }")
    assert len(answer.content) < 10 * MEGABYTE
    body = answer.json()
    shown = [node["content"] for p in body["data"].values() for node in p["files"]["nodes"]]
    assert sum(content is not None for content in shown) == 1
    assert {error["extensions"]["code"] for error in body["errors"]} == {"answer_too_large"}
    assert answer.status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "selection",
    [
        'file(projectId: "%s", path: "0.txt") { ' + " ".join(f"a{n}: content" for n in range(30)) + " }",
        " ".join(
            f'a{n}: history(projectId: "%s", first: {n + 60}) {{ nodes {{ data }} }}' for n in range(30)
        ),
        'node(id: "%s") { ... on Project { '
        + " ".join(f"a{n}: history(first: {n + 60}) {{ edges {{ node {{ data }} }} }}" for n in range(30))
        + " } }",
    ],
    ids=["one content thirty times", "thirty histories", "thirty histories of a project"],
)
def test_no_graphql_answer_grows_with_the_number_of_its_aliases(anybody, files, selection):
    answer = send(anybody, "{ " + selection.replace("%s", files) + " }")
    assert len(answer.content) < 10 * MEGABYTE
    assert "answer_too_large" in {error["extensions"]["code"] for error in answer.json()["errors"]}


def test_a_single_file_may_be_as_large_as_a_file_may_be(ada, anybody, public):
    """Escapes make its JSON six times as large."""
    path = f"/api/v1/projects/{public['id']}/files/escapes"
    content = "\x1b" * 1_500_000
    made(ada.client.put(path, json={"content": content}))
    assert anybody.get(path).json()["content"] == content
    shown = send(anybody, f'{{ file(projectId: "{public["id"]}", path: "escapes") {{ content }} }}').json()
    assert shown["data"]["file"]["content"] == content


def test_a_review_shows_its_first_comments_and_says_that_there_are_more(ada, anybody, public):
    path = f"/api/v1/projects/{public['id']}/reviews"
    review = made(ada.client.post(path, json={"title": "Long"}))["id"]
    comment = {"reviewId": review, "text": "é" * 20_000}
    commands = [{"type": "review.comment", "target": public["id"], "data": comment}] * 125
    for _ in range(2):
        made(ada.client.post("/api/v1/commands", json={"commands": commands}), 200)
    answer = anybody.get(f"{path}/{review}")
    shown = answer.json()
    assert (1 <= len(shown["comments"]) < 250, shown["commentsTruncated"]) == (True, True)
    assert len(answer.content) < 5 * MEGABYTE
    query = (
        f'{{ review(projectId: "{public["id"]}", id: "{review}") {{ commentsTruncated comments {{ id }} }} }}'
    )
    data = send(anybody, query).json()["data"]["review"]
    assert data["commentsTruncated"] is True
    assert [comment["id"] for comment in data["comments"]] == [c["id"] for c in shown["comments"]]


def test_the_name_of_an_unknown_field_is_not_repeated_at_any_length(ada):
    answer = ada.client.post("/api/v1/projects", json={"name": "a", "x" * MEGABYTE: 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")
    assert len(answer.content) < 2_000
