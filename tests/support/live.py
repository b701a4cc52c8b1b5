"""Subscribers of the live channels, as clients write them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.support.server import Server
from tests.support.time_scale import stretched

SECONDS = 30.0


class Live(Protocol):
    """Yields the events of a subscription; the last one that it yields may be `{"type": "drain"}`."""

    def __call__(self, server: Server, token: str, **query: str) -> Any: ...


@contextmanager
def sse(server: Server, token: str, **query: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Subscribe by server-sent events; a position goes into `Last-Event-ID`."""
    headers = {"Authorization": f"Bearer {token}"}
    if "after" in query:
        headers["Last-Event-ID"] = query.pop("after")
    with httpx.stream(
        "GET", f"{server.url}/api/v1/events/stream", headers=headers, params=query, timeout=stretched(SECONDS)
    ) as answer:
        assert answer.status_code == httpx.codes.OK, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        blocks = _blocks(answer.iter_lines())
        assert next(blocks)["id"], "the first block is the place to resume from"
        yield _events(blocks)


def _events(blocks: Iterator[dict[str, str]]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        if block.get("event") == "drain":
            yield {"type": "drain"}
        elif block.get("event") == "error":
            return
        elif "data" in block:
            event = json.loads(block["data"])
            assert (block["id"], block["event"]) == (event["position"], event["type"])
            yield event


def _blocks(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            block[name] = value
        elif block:
            yield block
            block = {}


@contextmanager
def websocket(server: Server, token: str, **query: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Subscribe by WebSocket."""
    with open_socket(server, token=token, **query) as socket:
        yield (json.loads(message) for message in socket)


def open_socket(server: Server, **query: str) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{server.port}/ws/events?{urlencode(query)}", open_timeout=stretched(SECONDS)
    )
