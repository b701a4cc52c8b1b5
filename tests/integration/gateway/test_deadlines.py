"""Slow clients are not waited for endlessly, and requests that run when the server ends are answered."""

import asyncio
import socket
import time

import pytest

from read_api.gateway.settings import GatewaySettings
from tests.integration.test_in_process import held, make_project
from tests.support.application import application
from tests.support.server import Server, eventually, serving
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration

HEAD = (
    "POST /api/v1/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
)
BODY = b'{"name": "slow"}'


def begun(server, token):
    """Send a request but for the last byte of its body."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=stretched(10))
    sock.sendall(HEAD.format(token=token, length=len(BODY)).encode() + BODY[:-1])
    return sock


def answer(sock):
    data = b""
    while part := sock.recv(65_536):
        data += part
        if b"\r\n\r\n" in data and data.endswith(b"}"):
            break
    return data


def lets_in(server):
    """Tell whether the server takes new connections."""
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=stretched(1)).close()
    except OSError:
        return False
    return True


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path):
    with serving(tmp_path / "data", {"CODEPARK_BODY_SECONDS": "0.3"}) as server:
        token, began = server.token(), time.monotonic()
        with begun(server, token) as sock:
            received = answer(sock)
            assert 0.2 < time.monotonic() - began < stretched(5)
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request_timeout"' in received
        assert b"connection: close" in received.lower()


def test_a_request_that_is_under_way_when_the_server_ends_is_answered(tmp_path):
    server = Server(tmp_path / "data").start()
    with begun(server, server.token()) as sock:
        server.terminate()
        eventually(lambda: not lets_in(server))
        sock.sendall(BODY[-1:])
        received = answer(sock)
    assert received.startswith(b"HTTP/1.1 201 "), received
    assert server.stop() == 0


def test_a_query_that_takes_too_long_is_stopped(tmp_path):
    async def run():
        settings = GatewaySettings(request_seconds=0.05)
        async with application(tmp_path, gateway=settings, wait_seconds=stretched(30.0)) as (parts, client):
            with held(parts.runners[0]):
                project, _ = await make_project(parts)
                late = await client.get(f"/api/v1/projects/{project}")
            assert (late.status_code, late.json()["code"]) == (503, "deadline")
            assert late.headers["Retry-After"] == "1"

    asyncio.run(run())
