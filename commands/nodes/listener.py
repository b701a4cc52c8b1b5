"""The internal HTTP listener, to which other nodes forward commands."""

import asyncio
import hmac
from typing import Any

import msgspec

from commands.bus import Bus, BusyError
from commands.nodes.bus import PATH, SECRET_HEADER
from commands.nodes.wire import decode_submissions, encode_outcomes

_LARGEST = 64 * 1024 * 1024
_CROWDED = 10_000


class NodeListener:
    """An ASGI application with one path, for nodes that know the secret of the installation."""

    def __init__(self, bus: Bus, secret: str) -> None:
        """Carry out on *bus*, which must not forward: a command is forwarded once."""
        self._bus = bus
        self._secret = secret.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, body = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/msgpack"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: Any, receive: Any) -> tuple[int, bytes]:
        secret = next((value for name, value in scope["headers"] if name == SECRET_HEADER.encode()), b"")
        if not hmac.compare_digest(secret, self._secret):
            return 403, b""
        if scope["path"] != PATH or scope["method"] != "POST":
            return 404, b""
        body = await _read(receive)
        return (413, b"") if body is None else await self._outcomes(body)

    async def _outcomes(self, body: bytes) -> tuple[int, bytes]:
        if self._bus.waiting > _CROWDED:
            return 503, b""
        try:
            outcomes = await self._bus.execute(decode_submissions(body))
        except msgspec.MsgspecError:
            return 400, b""
        except BusyError:
            return 503, b""
        return 200, encode_outcomes(outcomes)


async def _read(receive: Any) -> bytes | None:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > _LARGEST:
            return None
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
