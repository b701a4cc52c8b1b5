"""No answer is silently another one: what a request says is done, or it is refused with what to change."""

import base64
import json
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from read_api.app import operations
from tests.support.live import open_socket
from tests.support.people import PASSWORD, Person, made, refused
from tests.support.server import Server
from tests.support.time_scale import stretched

PROJECTS, EVENTS = "/api/v1/projects", "/api/v1/events"
STREAM = f"{EVENTS}/stream"
QUERIES = sorted(
    {op.path for op in operations() if op.method == "GET" and "{" not in op.path and not op.hidden}
)

ADMINISTRATORS = {"/api/v1/jobs", "/api/v1/metrics/business"}
"""The right to ask comes before the question."""


@pytest.mark.parametrize("path", [*QUERIES, STREAM, "/graphql"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_an_unknown_parameter_is_refused_by_name(
    ada: Person, admin: httpx.Client, path: str, method: str
) -> None:
    if (path, method) == ("/graphql", "OPTIONS"):
        return  # the page is there too, which takes any
    client = admin if path in ADMINISTRATORS else ada.client
    answer = client.request(method, f"{path}?since=2026-01-01T00:00:00Z")
    assert answer.status_code == 400
    if method != "HEAD":
        text = answer.text
        assert "since" in text
    if method == "GET" and path != "/graphql":
        problem = refused(answer, 400, "invalid_input")
        assert [fault["pointer"] for fault in problem["errors"]] == ["/since"]
        assert ("takes no query parameters" in problem["detail"]) or ("takes " in problem["detail"])


@pytest.mark.parametrize("query", ["status=null", "queue=null", "limit=null", "cursor="])
def test_the_text_null_is_no_value_of_a_parameter(admin: httpx.Client, query: str) -> None:
    refused(admin.get(f"/api/v1/jobs?{query}"), 400, "invalid_input")


def test_an_unread_that_is_null_is_refused(ada: Person) -> None:
    refused(ada.client.get("/api/v1/notifications?unread=null"), 400, "invalid_input")


def test_the_parts_of_a_project_take_no_unknown_parameter(ada: Person, path: str) -> None:
    for part in ("", "/files", "/commits", "/reviews", "/builds", "/insights", "/history", "/collaborators"):
        problem = refused(ada.client.get(f"{path}{part}", params={"as_of": "x"}), 400, "invalid_input")
        assert problem["errors"][0]["pointer"] == "/as_of"
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        target = f"{path}/reviews" if method == "POST" else path
        problem = refused(
            ada.client.request(method, f"{target}?dryRun=true", json={"name": "n", "title": "t"}),
            400,
            "invalid_input",
        )
        assert problem["errors"][0]["pointer"] == "/dryRun"
    assert ada.client.get(path).json()["version"] == 1


def test_a_parameter_that_is_given_twice_is_refused(ada: Person, path: str) -> None:
    problem = refused(ada.client.get(f"{path}/files?path=a&path=b"), 400, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/path"
    refused(ada.client.get(f"{PROJECTS}?" + "&".join(f"a{n}=1" for n in range(101))), 400, "invalid_input")


def test_pages_and_preflights_take_any_parameter(anybody: httpx.Client) -> None:
    assert anybody.get("/", params={"utm_source": "x"}).status_code == 200
    assert anybody.get("/docs", params={"x": "y"}).status_code == 200


@pytest.mark.parametrize(
    ("part", "fields", "named"),
    [("", "id,nmae", "nmae"), ("/files", "path,content", "content"), ("/history", "Type", "Type")],
)
def test_a_field_that_the_answer_does_not_have_is_refused(
    ada: Person, path: str, part: str, fields: str, named: str
) -> None:
    problem = refused(ada.client.get(f"{path}{part}", params={"fields": fields}), 400, "invalid_input")
    assert named in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/fields"


def test_fields_are_picked_from_every_answer(ada: Person, path: str) -> None:
    assert ada.client.get("/api/v1/me?fields=name").json() == {"name": "Ada"}
    changed = ada.client.patch(f"{path}?fields=name,version", json={"name": "Loom"})
    assert changed.json() == {"name": "Loom", "version": 2}
    assert ada.client.get(f"{path}?fields=name").json() == {"name": "Loom"}
    history = ada.client.get(f"{path}/history?fields=type").json()["items"]
    assert history == [{"type": "project.created"}, {"type": "project.updated"}]


def test_a_socket_refuses_what_it_does_not_take(server: Server, ada: Person) -> None:
    for query, named in (
        ({"since": "x"}, "since"),
        ({"type": "nonsense"}, "nonsense"),
        ({"type": "project.craeted"}, "project.created"),
        ({"order": "desc"}, "order"),
        ({"stream": "thing-1"}, "thing"),
        ({"from": "yesterday"}, "from"),
    ):
        with open_socket(server, token=ada.token, **query) as socket:
            problem = json.loads(socket.recv(timeout=stretched(10)))["problem"]
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=stretched(10))
        assert problem["errors"][0]["pointer"] == f"/{next(iter(query))}"
        assert named in problem["detail"]
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400
        assert problem["detail"].startswith(closed.value.rcvd.reason)


def test_a_project_that_you_may_not_know_of_is_refused_on_every_channel(
    server: Server, ada: Person, bob: Person, project: Any, admin: httpx.Client
) -> None:
    for id_ in ("nope", project["id"]):
        query = {"projects": id_}
        refused(bob.client.get(EVENTS, params=query), 404, "project_not_found")
        refused(bob.client.get(STREAM, params=query), 404, "project_not_found")
        with open_socket(server, token=bob.token, **query) as socket:
            socket.recv(timeout=stretched(10))
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=stretched(10))
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4404, "project_not_found")
    refused(admin.get(EVENTS, params={"projects": "nope"}), 404, "project_not_found")
    listed = ada.client.get(EVENTS, params={"projects": project["id"]}).json()["items"]
    assert [event["type"] for event in listed] == ["project.created"]


def mangled(cursor: str, **places: Any) -> str:
    """Return *cursor* with another place, written by somebody who knows its form."""
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    place = msgspec.msgpack.encode((places["value"], places["id"]))
    return base64.urlsafe_b64encode(raw[:6] + place).rstrip(b"=").decode()


def test_a_cursor_belongs_to_one_list_with_its_order_and_filters(ada: Person, path: str) -> None:
    for name in ("b", "a", "c"):
        made(ada.client.post(PROJECTS, json={"name": name}))
        made(ada.client.put(f"{path}/files/{name}", json={"content": name}))
    by_name = {"sort": "name", "limit": 1, "owner": ada.id}
    cursor = ada.client.get(PROJECTS, params=by_name).json()["nextCursor"]
    assert ada.client.get(PROJECTS, params={**by_name, "cursor": cursor}).status_code == 200
    for others in ({"sort": "-name"}, {"sort": "-createdAt"}, {"search": "a"}, {"owner": "x"}):
        query = {**by_name, **others, "cursor": cursor}
        refused(ada.client.get(PROJECTS, params=query), 400, "invalid_cursor")
    for part in ("files", "commits", "reviews", "builds"):
        refused(ada.client.get(f"{path}/{part}", params={"cursor": cursor}), 400, "invalid_cursor")
    files = ada.client.get(f"{path}/files", params={"limit": 1}).json()["nextCursor"]
    other = made(ada.client.post(PROJECTS, json={"name": "other"}))["id"]
    refused(ada.client.get(f"{PROJECTS}/{other}/files", params={"cursor": files}), 400, "invalid_cursor")
    refused(ada.client.get("/api/v1/notifications", params={"cursor": files}), 400, "invalid_cursor")


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, -(2**63), 1.5, True, "x"])
def test_a_forged_cursor_is_refused(ada: Person, path: str, value: Any) -> None:
    for name in ("a", "b"):
        made(ada.client.put(f"{path}/files/{name}", json={"content": name}))
    cursor = ada.client.get(f"{path}/files", params={"limit": 1}).json()["nextCursor"]
    forged = mangled(cursor, value=value, id="x")
    refused(ada.client.get(f"{path}/files", params={"cursor": forged}), 400, "invalid_cursor")
    plain = base64.urlsafe_b64encode(msgspec.msgpack.encode((value, "x"))).rstrip(b"=").decode()
    refused(ada.client.get(f"{path}/commits", params={"cursor": plain}), 400, "invalid_cursor")
    query = "query($p: ID!, $c: String) { files(projectId: $p, after: $c) { nodes { path } } }"
    variables = {"p": path.rpartition("/")[2], "c": forged}
    answer = ada.client.post("/graphql", json={"query": query, "variables": variables}).json()
    assert answer["errors"][0]["extensions"]["code"] == "invalid_cursor"


def test_a_position_beyond_every_integer_is_refused(ada: Person) -> None:
    token = base64.urlsafe_b64encode(msgspec.msgpack.encode({0: (2**63, b"abcd")})).rstrip(b"=").decode()
    refused(ada.client.get(EVENTS, params={"after": token}), 400, "invalid_position")


def test_a_file_is_created_or_replaced_only_as_the_conditions_allow(ada: Person, path: str) -> None:
    url = f"{path}/files/notes"
    refused(ada.client.put(url, json={"content": "1"}, headers={"If-Match": "*"}), 412, "precondition_failed")
    created = ada.client.put(url, json={"content": "1"}, headers={"If-None-Match": "*"})
    assert (created.status_code, created.headers["location"]) == (201, url)
    for method, condition in (("PUT", {"If-None-Match": "*"}), ("PUT", {"If-None-Match": 'W/"1", "9"'})):
        answer = ada.client.request(method, url, json={"content": "2"}, headers=condition)
        refused(answer, 412, "precondition_failed")
    refused(
        ada.client.put(url, json={"content": "2"}, headers={"If-Match": '"5", "6"'}), 412, "version_mismatch"
    )
    refused(ada.client.delete(url, headers={"If-None-Match": "*"}), 412, "precondition_failed")
    assert ada.client.get(url).json()["content"] == "1"
    dated = {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}
    assert (
        ada.client.put(url, json={"content": "2"}, headers={"If-Match": '"9", "1"', **dated}).status_code
        == 200
    )
    assert ada.client.delete(url, headers={"If-Match": "*"}).status_code == 204
    refused(
        ada.client.put(url, json={"content": "3"}, headers={"If-Match": '"3"'}), 412, "precondition_failed"
    )
    refused(ada.client.delete(url, headers={"If-Match": "*"}), 404, "file_not_found")
    assert ada.client.put(url, json={"content": "3"}, headers={"If-None-Match": "*"}).status_code == 201


def test_the_conditions_of_other_resources(ada: Person, bob: Person, path: str) -> None:
    refused(
        ada.client.patch(path, json={"name": "x"}, headers={"If-None-Match": "*"}), 412, "precondition_failed"
    )
    person = f"{path}/collaborators/{bob.id}"
    role = {"role": "viewer"}
    refused(ada.client.put(person, json=role, headers={"If-Match": "*"}), 412, "precondition_failed")
    assert ada.client.put(person, json=role, headers={"If-None-Match": "*"}).status_code == 200
    refused(ada.client.put(person, json=role, headers={"If-None-Match": "*"}), 412, "precondition_failed")
    refused(ada.client.get(path, headers={"If-Match": '"7"'}), 412, "precondition_failed")
    tag = ada.client.get(path).headers["etag"]
    assert ada.client.get(path, headers={"If-Match": f'"7", {tag}'}).status_code == 200
    assert ada.client.get(path, headers={"If-Match": "*", "If-None-Match": tag}).status_code == 304
    refused(
        ada.client.get(path, headers={"If-Match": '"7"', "If-None-Match": tag}), 412, "precondition_failed"
    )
    assert ada.client.get(f"{path}/collaborators", headers={"If-None-Match": '"2"'}).status_code == 304
    refused(ada.client.get(f"{path}/files/none", headers={"If-Match": '"7"'}), 404, "file_not_found")


def test_a_file_that_comes_back_is_created_again(ada: Person, path: str) -> None:
    url = f"{path}/files/a%20b"
    made(ada.client.put(url, json={"content": "1"}))
    assert ada.client.delete(url).status_code == 204
    key = {"Idempotency-Key": f"again-{path}"}
    for replayed in (None, "true"):
        again = ada.client.put(url, json={"content": "2"}, headers=key)
        assert (again.status_code, again.headers["location"]) == (201, url)
        assert again.headers.get("idempotency-replayed") == replayed
    key = {"Idempotency-Key": f"changed-{path}"}
    for _ in range(2):
        changed = ada.client.put(url, json={"content": "3"}, headers=key)
        assert (changed.status_code, changed.headers.get("location")) == (200, None)


@pytest.mark.parametrize(
    "time", ["2024-01-31T12:00:00+05:99", "2024-01-31T12:00:00+24:00", "2024-01-31T12:00:60Z", "2024-01-31"]
)
def test_a_time_that_does_not_exist_is_refused(ada: Person, path: str, time: str) -> None:
    commit = {"message": "m", "author": {"name": "A"}, "authoredAt": time}
    problem = refused(ada.client.post(f"{path}/commits", json=commit), 400, "invalid")
    assert problem["errors"][0]["pointer"] == "/authoredAt"
    refused(ada.client.get(path, params={"asOf": time}), 400, "invalid_input")
    refused(ada.client.get(EVENTS, params={"until": time}), 400, "invalid_input")


@pytest.mark.parametrize("status", ["A", "M", "T"])
def test_a_change_says_what_the_content_is(ada: Person, path: str, status: str) -> None:
    commit = {"message": "m", "author": {"name": "A"}, "authoredAt": "2024-01-31T12:00:00Z"}
    change = {"path": "a", "status": status}
    problem = refused(
        ada.client.post(f"{path}/commits", json={**commit, "changes": [change]}), 400, "invalid"
    )
    assert problem["errors"][0]["pointer"] == "/changes/0/content"
    made(ada.client.post(f"{path}/commits", json={**commit, "changes": [{**change, "content": None}]}))
    assert ada.client.get(f"{path}/files/a").json()["content"] is None


@pytest.mark.parametrize(
    ("path", "body", "pointer", "sentence"),
    [
        ("auth/register", {"email": "nobody"}, "/email", "write one e-mail address, such as ada@example.org"),
        ("auth/register", {"email": "x"}, "/email", "write one e-mail address, such as ada@example.org"),
        ("auth/register", {"password": "short"}, "/password", "write 8 to 1,024 characters"),
        ("auth/register", {"name": 7}, "/name", "write a text, not a whole number"),
        ("projects", {"name": "x", "visibility": "pubic"}, "/visibility", "did you mean public?"),
        ("projects", {"name": "x", "visibility": "secret"}, "/visibility", "choose from public, private"),
        ("projects", {"name": "x", "desription": ""}, "/desription", "did you mean description?"),
        (
            "commands",
            {"commands": [{"type": "project.crate", "data": {}}]},
            "/commands/0/type",
            "project.create",
        ),
    ],
)
def test_a_refusal_says_what_to_write(
    ada: Person, path: str, body: dict[str, Any], pointer: str, sentence: str
) -> None:
    whole = {"email": "z@example.org", "name": "z", "password": PASSWORD} if "auth" in path else {}
    answer = ada.client.post(f"/api/v1/{path}", json={**whole, **body})
    problem = refused(answer, 400, answer.json()["code"])
    assert problem["errors"][0]["pointer"] == pointer
    assert sentence in problem["errors"][0]["detail"]
    assert problem["title"] not in ("Bad Request", "")
