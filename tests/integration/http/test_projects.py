from typing import Any

import httpx
import pytest

from tests.support.people import Person, made, refused

PROJECTS = "/api/v1/projects"


def test_a_project_has_every_field_of_the_contract(ada: Person) -> None:
    answer = ada.client.post(PROJECTS, json={"name": "Engine"})
    project = made(answer)
    assert answer.headers["location"] == f"{PROJECTS}/{project['id']}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["codepark-position"]
    assert answer.headers["codepark-command"]
    assert project == {
        "id": project["id"],
        "name": "Engine",
        "description": "",
        "visibility": "private",
        "language": None,
        "ownerId": ada.id,
        "owner": {"id": ada.id, "name": "Ada"},
        "collaborators": [],
        "files": [],
        "aiInsights": {"complexity": 0, "suggestions": []},
        "insightsPending": False,
        "version": 1,
        "createdAt": project["createdAt"],
        "updatedAt": project["createdAt"],
    }
    assert ada.client.get(answer.headers["location"]).json() == project


def test_put_replaces_all_and_patch_merges(ada: Person, path: str) -> None:
    replaced = made(ada.client.put(path, json={"name": "New", "description": "d", "language": "Go"}), 200)
    assert (replaced["description"], replaced["language"], replaced["version"]) == ("d", "Go", 2)
    patched = made(
        ada.client.patch(
            path, content=b'{"language": null}', headers={"Content-Type": "application/merge-patch+json"}
        ),
        200,
    )
    assert (patched["name"], patched["language"], patched["version"]) == ("New", None, 3)
    assert made(ada.client.put(path, json={"name": "New"}), 200)["description"] == ""


@pytest.mark.parametrize("body", [{}, {"name": "Engine"}, {"description": None}, {"visibility": "private"}])
def test_a_patch_that_changes_nothing_keeps_the_version(ada: Person, path: str, body: dict[str, Any]) -> None:
    answer = ada.client.patch(path, json=body)
    assert made(answer, 200)["version"] == 1
    assert answer.headers["etag"] == '"1"'


def test_if_match_lets_one_of_two_writers_win(ada: Person, path: str) -> None:
    tag = ada.client.get(path).headers["etag"]
    made(ada.client.patch(path, json={"name": "first"}, headers={"If-Match": tag}), 200)
    refused(
        ada.client.patch(path, json={"name": "second"}, headers={"If-Match": tag}), 412, "version_mismatch"
    )
    assert ada.client.get(path).json()["name"] == "first"
    made(ada.client.patch(path, json={"name": "third"}, headers={"If-Match": '"2"'}), 200)
    made(ada.client.patch(path, json={"name": "fourth"}, headers={"If-Match": "*"}), 200)
    refused(ada.client.delete(path, headers={"If-Match": 'W/"4"'}), 412, "version_mismatch")
    refused(ada.client.delete(path, headers={"If-Match": "4"}), 400, "invalid_input")


def test_if_none_match_answers_304_until_something_changes(ada: Person, path: str) -> None:
    tag = ada.client.get(path).headers["etag"]
    same = ada.client.get(path, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    made(ada.client.put(f"{path}/files/a.py", json={"content": "x = 1\n"}))
    changed = ada.client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["version"] == 1, "files do not move the project's version"
    assert changed.headers["etag"] != tag
    refused(ada.client.get(path, headers={"If-None-Match": "nonsense"}), 400, "invalid_input")


def test_a_deleted_project_is_gone(ada: Person, path: str) -> None:
    answer = ada.client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    refused(ada.client.get(path), 404, "project_not_found")
    refused(ada.client.patch(path, json={"name": "x"}), 404, "project_not_found")
    refused(ada.client.delete(path), 404, "project_not_found")


def test_a_private_project_is_unknown_to_others(
    anybody: httpx.Client, bob: Person, admin: httpx.Client, path: str
) -> None:
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        refused(bob.client.request(method, path, json=body), 404, "project_not_found")
    refused(anybody.get(path), 404, "project_not_found")
    assert admin.get(path).status_code == 200


def test_who_may_see_but_not_do_gets_403(bob: Person, anybody: httpx.Client, public: Any) -> None:
    path = f"{PROJECTS}/{public['id']}"
    assert anybody.get(path).json()["name"] == "Open"
    refused(bob.client.patch(path, json={"name": "x"}), 403, "role_required")
    problem = anybody.patch(path, json={"name": "x"})
    refused(problem, 401, "authentication_required")
    assert problem.headers["www-authenticate"] == "Bearer"


def test_head_options_and_405(ada: Person, path: str) -> None:
    head = ada.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == ada.client.get(path).headers["etag"]
    options = ada.client.options(path)
    assert (options.status_code, options.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT")
    wrong = ada.client.post(path, json={})
    refused(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == options.headers["allow"]
    login = ada.client.head("/api/v1/auth/login")
    assert (login.status_code, login.headers["allow"]) == (405, "OPTIONS, POST")
    refused(ada.client.get("/api/v1/nothing"), 404, "not_found")


def test_lists_lead_from_page_to_page(eve: Person) -> None:
    names = [f"p{number}" for number in range(5)]
    for name in names:
        made(eve.client.post(PROJECTS, json={"name": name}))
    url, seen = f"{PROJECTS}?owner={eve.id}&limit=2&sort=name&fields=name", []
    while url:
        answer = eve.client.get(url)
        seen.append([item["name"] for item in answer.json()["items"]])
        assert all(item.keys() == {"name"} for item in answer.json()["items"])
        url = answer.links.get("next", {}).get("url", "")
        assert bool(url) == (answer.json()["nextCursor"] is not None)
    assert seen == [["p0", "p1"], ["p2", "p3"], ["p4"]]
    newest = eve.client.get(f"{PROJECTS}?owner={eve.id}").json()["items"]
    assert [item["name"] for item in newest] == names[::-1]
    assert "files" not in newest[0]
    projects = eve.client.get(PROJECTS, params={"search": "p3", "owner": eve.id}).json()["items"]
    assert [item["name"] for item in projects] == ["p3"]


def test_lists_show_only_what_the_caller_may_see(
    anybody: httpx.Client, bob: Person, ada: Person, project: Any, public: Any
) -> None:
    def ids(client: httpx.Client) -> set[str]:
        return {
            item["id"]
            for item in client.get(PROJECTS, params={"owner": ada.id, "limit": 100}).json()["items"]
        }

    assert {project["id"], public["id"]} <= ids(ada.client)
    for client in (anybody, bob.client):
        assert public["id"] in ids(client)
        assert project["id"] not in ids(client)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("sort=age", "sort"),
        ("cursor=%20", "cursor"),
    ],
)
def test_bad_query_parameters_are_named(ada: Person, query: str, parameter: str) -> None:
    problem = refused(ada.client.get(f"{PROJECTS}?{query}"), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == f"/{parameter}"


def test_collaborators_work_and_are_found(ada: Person, bob: Person, project: Any, path: str) -> None:
    refused(ada.client.get(f"{path}/collaborators/{bob.id}"), 404, "collaborator_not_found")
    answer = ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "viewer"})
    assert made(answer, 200) == {"id": bob.id, "name": "Bob", "role": "viewer"}
    assert answer.headers["etag"] == '"2"'
    assert bob.client.get(path).json()["collaborators"] == [answer.json()]
    refused(bob.client.patch(path, json={"name": "x"}), 403, "role_required")
    projects = bob.client.get(PROJECTS, params={"collaborator": bob.id}).json()["items"]
    assert project["id"] in {item["id"] for item in projects}
    assert ada.client.get(f"{path}/collaborators").json() == {"items": [answer.json()], "nextCursor": None}
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "editor"}), 200)
    made(bob.client.put(f"{path}/files/b.txt", json={"content": "hi"}))
    assert ada.client.delete(f"{path}/collaborators/{bob.id}").status_code == 204
    refused(bob.client.get(path), 404, "project_not_found")
    nobody = "0190a2b0-0000-7000-8000-000000000000"
    refused(
        ada.client.put(f"{path}/collaborators/{nobody}", json={"role": "editor"}), 404, "account_not_found"
    )
    refused(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "king"}), 400, "invalid_input")
