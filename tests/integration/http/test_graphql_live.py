"""Subscriptions: same live source, same visibility, resumed from a position; and the protocol's rules."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.graphql import Socket, open_socket
from tests.support.people import Person, made, position_now
from tests.support.server import Server, serving
from tests.support.time_scale import stretched

PROJECTS = "/api/v1/projects"
EVENTS = (
    "subscription ($projects: [String!], $after: String, $types: [String!])"
    " { events(projects: $projects, after: $after, types: $types)"
    " { type version position projectId project { name } } }"
)
CHANGES = "subscription ($id: ID!) { project(id: $id) { name version files { nodes { path } } } }"


def position(person: Person, project: str) -> str:
    return person.client.patch(f"{PROJECTS}/{project}", json={}).headers["codepark-position"]


def write(person: Person, project: str, count: int) -> None:
    for number in range(count):
        answer = person.client.put(f"{PROJECTS}/{project}/files/f", json={"content": f"{number} {uuid4()}"})
        assert answer.is_success, answer.text


def closed(socket: Socket) -> tuple[int, str]:
    """Take what comes until the server closes the socket; return how."""
    with suppress(ConnectionClosed):
        while True:
            socket.receive()
    return socket.connection.close_code or 0, socket.connection.close_reason or ""


def test_reconnects_lose_nothing_and_repeat_nothing(server: Server, ada: Person, project: Any) -> None:
    after = position(ada, project["id"])
    write(ada, project["id"], 90)
    seen: list[int] = []
    for share in (40, 30, 20):
        with open_socket(server) as socket:
            socket.init(authorization=f"Bearer {ada.token}")
            socket.subscribe("a", EVENTS, projects=[project["id"]], after=after)
            for _ in range(share):
                event = socket.next("a")["events"]
                seen.append(event["version"])
                after = event["position"]
    assert seen == list(range(1, 91))


def test_the_fields_of_an_answer_are_as_recent_as_its_event(server: Server, ada: Person) -> None:
    with open_socket(server) as socket:
        socket.init(authorization=ada.token)
        after = position_now(ada)
        socket.subscribe("a", EVENTS, after=after, types=["project.created"])
        for number in range(10):
            id_ = made(ada.client.post(PROJECTS, json={"name": f"now {number}"}))["id"]
            while (event := socket.next("a")["events"])["projectId"] != id_:
                pass
            assert event["project"] == {"name": f"now {number}"}


def test_private_events_are_not_for_others(
    server: Server, ada: Person, eve: Person, project: Any, public: Any
) -> None:
    after = position(ada, project["id"])
    write(ada, project["id"], 1)
    with open_socket(server) as socket:
        socket.init(authorization=eve.token)
        socket.subscribe("n", EVENTS, projects=[project["id"], public["id"]], after=after)
        refused = socket.receive()
        assert refused["payload"][0]["extensions"]["code"] == "project_not_found"
        socket.subscribe("a", EVENTS, after=after)
        write(ada, project["id"], 1)
        write(ada, public["id"], 1)
        assert socket.next("a")["events"]["projectId"] == public["id"]
        socket.subscribe("b", CHANGES, id=project["id"])
        refused = socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "b")
        assert refused["payload"][0]["extensions"]["code"] == "project_not_found"


def test_a_project_is_followed(server: Server, ada: Person, project: Any, path: str) -> None:
    with open_socket(server, additional_headers={"Authorization": f"Bearer {ada.token}"}) as socket:
        socket.init()
        socket.subscribe("p", CHANGES, id=project["id"])
        assert socket.next("p")["project"] == {"name": "Engine", "version": 1, "files": {"nodes": []}}
        made(ada.client.patch(path, json={"name": "Loom"}), 200)
        assert socket.next("p")["project"]["name"] == "Loom"
        made(ada.client.put(f"{path}/files/a", json={"content": "1"}))
        while not (files := socket.next("p")["project"]["files"]["nodes"]):
            pass
        assert files == [{"path": "a"}]
        assert ada.client.delete(path).status_code == 204
        gone = socket.receive()
        assert (gone["type"], gone["payload"][0]["extensions"]["code"]) == ("error", "project_not_found")


def test_queries_and_mutations_run_on_a_socket_too(server: Server, ada: Person) -> None:
    with open_socket(server) as socket:
        socket.init(authorization=ada.token)
        socket.subscribe("q", "{ me { name } }")
        assert socket.next("q") == {"me": {"name": "Ada"}}
        assert socket.receive() == {"id": "q", "type": "complete"}
        socket.subscribe("q", 'mutation { createProject(input: {name: "by socket"}) { version } }')
        assert socket.next("q") == {"createProject": {"version": 1}}
        assert socket.receive() == {"id": "q", "type": "complete"}
        socket.subscribe("e", '{ project(id: "x") { name } }')
        payload = socket.receive()["payload"]
        assert (payload["data"], payload["errors"][0]["extensions"]["code"]) == (
            {"project": None},
            "project_not_found",
        )
        assert socket.receive() == {"id": "e", "type": "complete"}
        for query, code in (
            ("{", "invalid_syntax"),
            ("{ nothing }", "invalid_query"),
            ("query ($a: Int!) { node(id: $a) { id } }", "invalid_query"),
        ):
            socket.subscribe("e", query)
            refused = socket.receive()
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", code)


def test_a_client_ends_its_subscription_and_uses_the_id_again(
    server: Server, ada: Person, project: Any
) -> None:
    with open_socket(server) as socket:
        socket.init(authorization=ada.token)
        for _ in range(3):
            after = position(ada, project["id"])
            socket.subscribe("a", EVENTS, projects=[project["id"]], after=after)
            write(ada, project["id"], 1)
            assert socket.next("a")["events"]["type"] == "file.written"
            socket.send(type="complete", id="a")
        socket.send(type="ping")
        assert socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}], 4401),
        ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
        ([{"type": "connection_init", "payload": 5}], 4400),
        ([{"type": "connection_init"}, {"type": "nonsense"}], 4400),
        ([{"type": "connection_init"}, {"id": "1"}], 4400),
        ([{"type": "connection_init"}, []], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "payload": {"query": "{ a }"}}], 4400),
        ([{"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": 1}], 4400),
        ([{"type": "connection_init", "payload": {"authorization": "nonsense"}}], 4403),
        (
            [
                {"type": "connection_init"},
                *[{"type": "subscribe", "id": "1", "payload": {"query": "subscription { events { id } }"}}]
                * 2,
            ],
            4409,
        ),
    ],
)
def test_a_client_that_breaks_the_protocol_is_closed_with_its_codes(
    server: Server, messages: list[Any], code: int
) -> None:
    with open_socket(server) as socket:
        for message in messages:
            socket.connection.send(json.dumps(message))
        assert closed(socket)[0] == code


def test_other_bad_messages(server: Server) -> None:
    for text, code in (("{", 4400), ("[" * 5_000, 4400), ("x" * 300_000, 4400)):
        with open_socket(server) as socket:
            socket.init()
            socket.connection.send(text)
            assert closed(socket)[0] == code
    with open_socket(server, subprotocols=["graphql-ws"]) as socket:
        assert closed(socket)[0] == 4406


def test_a_socket_carries_a_limited_number_of_operations(server: Server, ada: Person, project: Any) -> None:
    with open_socket(server) as socket:
        socket.init(authorization=ada.token)
        for number in range(51):
            socket.subscribe(str(number), EVENTS, projects=[project["id"]])
        refused = socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "50")
        assert refused["payload"][0]["extensions"]["code"] == "too_many_operations"
        socket.send(type="complete", id="0")
        socket.subscribe("q", "{ me { name } }")
        assert socket.next("q") == {"me": {"name": "Ada"}}


def test_the_server_ends_in_order_with_open_sockets(tmp_path: Path) -> None:
    data = tmp_path / "data"
    seconds = seconds_to_end(data)
    log = data.with_suffix(".log").read_text()
    assert seconds < stretched(6), f"{seconds:.1f} s; the server's log:\n{log}"


def seconds_to_end(data: Path) -> float:
    with serving(data) as server:
        token = server.token()
        with open_socket(server) as busy, open_socket(server) as idle:
            busy.init(authorization=token)
            busy.subscribe("a", EVENTS)
            busy.subscribe("q", "{ projects { id } }")
            busy.next("q")
            idle.init()
            began = time.monotonic()
            server.terminate()
            assert closed(busy) == closed(idle) == (1001, "the server is stopping")
            assert server.stop() == 0
        return time.monotonic() - began
