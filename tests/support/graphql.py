"""Clients of `/graphql`, as programs write them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.support.server import Server
from tests.support.time_scale import stretched

SECONDS = 30.0
RESPONSE = "application/graphql-response+json"


def send(client: httpx.Client, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    """Return the answer to an operation."""
    body = {"query": query, "variables": variables}
    return client.post("/graphql", json=body, headers={"Accept": RESPONSE, **(headers or {})})


def data(client: httpx.Client, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    """Return the data of an operation that must succeed."""
    answer = send(client, query, headers, **variables)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def refused(client: httpx.Client, query: str, status: int, code: str, **variables: Any) -> Any:
    """Return the first error of an operation, which must be this one."""
    answer = send(client, query, **variables)
    error = answer.json()["errors"][0]
    assert (error["extensions"]["status"], error["extensions"]["code"]) == (status, code), answer.text
    return error


class Socket:
    """A `graphql-transport-ws` client that answers pings."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def receive(self) -> Any:
        while True:
            message = json.loads(self.connection.recv(timeout=stretched(SECONDS)))
            if message["type"] != "ping":
                return message
            self.send(type="pong")

    def init(self, **payload: Any) -> None:
        self.send(type="connection_init", payload=payload)
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        self.send(type="subscribe", id=id_, payload={"query": query, "variables": variables})

    def next(self, id_: str) -> Any:
        """Return the data of the next message, which must be a result of that operation."""
        message = self.receive()
        assert (message["type"], message["id"]) == ("next", id_), message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]


@contextmanager
def open_socket(server: Server, **options: Any) -> Iterator[Socket]:
    """Open a socket that has said nothing yet."""
    options = {"subprotocols": ["graphql-transport-ws"], "open_timeout": stretched(SECONDS), **options}
    with connect(f"ws://127.0.0.1:{server.port}/graphql", **options) as connection:
        yield Socket(connection)
