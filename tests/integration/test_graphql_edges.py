"""A server without the extra, a client that says nothing, faults of our own."""

import asyncio
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from litestar.exceptions import WebSocketDisconnect

from read_api import app
from read_api.graphql import socket as sockets
from read_api.graphql.socket import Conversation
from read_api.realtime.hub import Hub
from tests.support.application import application, unlimited
from tests.support.time_scale import stretched

EXTRA = ("graphene", "graphql", "graphene_federation", "aiodataloader")
BLOCKED = f"import sys; sys.modules.update(dict.fromkeys({EXTRA}));"


def test_without_the_extra_everything_else_is_there(tmp_path, monkeypatch):
    program = (
        f"{BLOCKED} from read_api import graphql; import codepark.server; assert not graphql.available()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=stretched(60))
    monkeypatch.setattr(app, "available", lambda: False)

    async def run():
        async with application(tmp_path) as (_, client):
            assert (await client.get("/api/v1/projects")).status_code == 200
            assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 404

    asyncio.run(run())


def test_a_fault_of_ours_is_masked_and_logged(tmp_path, capsys):
    async def run():
        async with application(tmp_path) as (parts, client):
            secret = "host=db.internal password=hunter2"

            def broken(*_):
                raise OSError(secret)

            parts.queries.inbox.announcements = broken
            query = "{ announcements { nodes { id } } projects { id } }"
            answer = await client.post("/graphql", json={"query": query})
            assert answer.status_code == 200
            body = answer.json()
            assert body["data"] == {"announcements": None, "projects": []}
            assert body["errors"][0]["message"] == "something went wrong on our side"
            extensions = body["errors"][0]["extensions"]
            assert (extensions["code"], extensions["status"]) == ("internal_error", 500)
            assert secret not in answer.text

    asyncio.run(run())
    assert "hunter2" in capsys.readouterr().out


class Silent:
    """A socket of a client that says nothing."""

    def __init__(self):
        self.scope = {"state": {"request_id": "r"}, "headers": []}
        self.sent = []
        self.received = asyncio.Event()

    async def receive_data(self, mode):
        await asyncio.Event().wait()

    async def send_data(self, text, mode):
        self.sent.append(json.loads(text))
        self.received.set()


class Gone(Silent):
    """A socket of a client that left."""

    async def receive_data(self, mode):
        raise WebSocketDisconnect(detail="gone")


@pytest.mark.parametrize(("client", "code"), [(Silent, 4408), (Gone, None)])
def test_a_socket_that_is_not_initialised_in_time_is_closed(tmp_path, monkeypatch, client, code):
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.01)

    async def run():
        async with application(tmp_path) as (parts, _):
            close = await Conversation(socket_api(parts), None, client()).hold()
            assert (None if close is None else close.code) == code

    asyncio.run(run())


def test_a_quiet_client_is_pinged(tmp_path, monkeypatch):
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.0)
    monkeypatch.setattr(sockets, "PING_SECONDS", 0.0)

    async def run():
        async with application(tmp_path) as (parts, _):
            silent = Silent()
            conversation = Conversation(socket_api(parts), None, silent)
            conversation._initialised = True
            held = asyncio.create_task(conversation.hold())
            async with asyncio.timeout(stretched(10)):
                await silent.received.wait()
            held.cancel()
            await asyncio.gather(held, return_exceptions=True)
            assert silent.sent[0] == {"type": "ping"}

    asyncio.run(run())


def socket_api(parts):
    """Return what a conversation needs of an Api: a hub and limits."""
    hub = Hub(parts.logs)
    hub.start(asyncio.get_running_loop())
    return SimpleNamespace(hub=hub, limits=unlimited(), identity=None)
