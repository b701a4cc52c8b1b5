import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.live import Live, open_socket, sse, websocket
from tests.support.people import PASSWORD, Person, made, refused
from tests.support.server import Server, serving
from tests.support.time_scale import stretched

PROJECTS = "/api/v1/projects"
EVENTS = 60
both = pytest.mark.parametrize("live", [sse, websocket])


def write(person: Person, project: str, count: int) -> None:
    for number in range(count):
        answer = person.client.put(f"{PROJECTS}/{project}/files/f", json={"content": str(number)})
        assert answer.is_success, answer.text


def position(person: Person, project: str) -> str:
    return person.client.patch(f"{PROJECTS}/{project}", json={}).headers["codepark-position"]


@both
def test_three_reconnects_lose_nothing_and_repeat_nothing(
    server: Server, ada: Person, project: Any, public: Any, live: Live
) -> None:
    after, ids = position(ada, project["id"]), (project["id"], public["id"])
    writers = [threading.Thread(target=write, args=(ada, id_, EVENTS)) for id_ in ids]
    for writer in writers:
        writer.start()
    seen: list[dict[str, Any]] = []
    for share in (EVENTS // 2, EVENTS // 2, EVENTS * 2 // 3, EVENTS // 3):
        with live(server, ada.token, after=after, projects=",".join(ids)) as events:
            seen += islice(events, share)
        after = seen[-1]["position"]
    for writer in writers:
        writer.join()
    for partition in range(server.partitions):
        sequences = [e["sequence"] for e in seen if server.partition_of(e["projectId"]) == partition]
        assert sequences == sorted(set(sequences))
    for id_ in ids:
        versions = [event["version"] for event in seen if event["projectId"] == id_]
        assert versions == list(range(1, EVENTS + 1))


@both
def test_a_subscriber_sees_its_new_project_at_once(server: Server, ada: Person, live: Live) -> None:
    with live(server, ada.token, type="project.created") as events:
        for _ in range(20):
            created = made(ada.client.post(PROJECTS, json={"name": "now"}))
            assert next(e for e in events if e["projectId"] == created["id"])["data"]["name"] == "now"


@both
def test_private_events_are_not_for_others(
    server: Server, ada: Person, bob: Person, project: Any, public: Any, live: Live
) -> None:
    after = position(ada, project["id"])
    path = f"{PROJECTS}/{project['id']}"
    write(ada, project["id"], 1)
    write(ada, public["id"], 1)
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "viewer"}), 200)
    write(ada, project["id"], 1)
    last = f"{project['id']},{public['id']}"
    with live(server, bob.token, after=after, projects=public["id"]) as events:
        assert next(events)["projectId"] == public["id"]
    with live(server, bob.token, after=position(ada, project["id"]), projects=last) as events:
        write(ada, project["id"], 2)
        assert next(events)["projectId"] == project["id"]
        assert ada.client.delete(f"{path}/collaborators/{bob.id}").status_code == 204
        write(ada, project["id"], 5)
        write(ada, public["id"], 2)
        rest = list(iter(lambda: next(events)["projectId"], public["id"]))
    assert len(rest) <= 1, "what came before the removal, and nothing behind it"


def test_the_stream_has_heads_and_refusals(server: Server, ada: Person) -> None:
    url = "/api/v1/events/stream"
    head = ada.client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    refused(ada.client.get(url, params={"after": "nonsense!"}), 400, "invalid_position")
    with server.client("x.y.z") as nobody:
        refused(nobody.get(url), 401, "invalid_token")


@pytest.mark.parametrize(
    ("query", "code", "status"),
    [({"token": "x.y.z"}, "invalid_token", 401), ({"after": "nonsense!"}, "invalid_position", 400)],
)
def test_a_socket_says_why_it_closes(server: Server, query: dict[str, str], code: str, status: int) -> None:
    with open_socket(server, **query) as socket:
        message = socket.recv(timeout=stretched(10))
        assert f'"code":"{code}"' in str(message)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=stretched(10))
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000 + status, code)


def test_the_server_ends_in_time_with_forty_subscribers(tmp_path: Path) -> None:
    data = tmp_path / "data"
    seconds = seconds_to_end(data)
    log = data.with_suffix(".log").read_text()
    assert seconds < stretched(8), f"{seconds:.1f} s; the server's log:\n{log}"


def seconds_to_end(data: Path) -> float:
    with serving(data) as server, ExitStack() as stack:
        token = server.token()
        streams: list[Iterator[dict[str, Any]]] = [
            stack.enter_context(live(server, token, type="project.created"))
            for live in (sse, websocket)
            for _ in range(20)
        ]
        with server.client(token) as client:
            made(client.post(PROJECTS, json={"name": "x"}))
        assert {next(events)["type"] for events in streams} == {"project.created"}
        began = time.monotonic()
        server.terminate()
        assert [list(events) for events in streams] == [[{"type": "drain"}]] * 40
        assert server.stop() == 0
        return time.monotonic() - began


@both
def test_who_is_signed_out_hears_no_more(
    server: Server, new_person, anybody: httpx.Client, live: Live
) -> None:
    person = new_person()
    project = made(person.client.post(PROJECTS, json={"name": "p"}))["id"]
    login = {"email": person.email, "password": PASSWORD}
    tokens = made(anybody.post("/api/v1/auth/login", json=login), 200)
    with live(server, tokens["accessToken"], projects=project) as events:
        write(person, project, 1)
        assert next(events)["projectId"] == project
        ended = anybody.post("/api/v1/auth/logout", json={"refreshToken": tokens["refreshToken"]})
        assert ended.status_code == httpx.codes.NO_CONTENT
        write(person, project, 1)
        with suppress(ConnectionClosed):
            assert list(events) == []
