"""Idle subscribers that cost the generator little: server-sent events and WebSockets (RFC 6455) in bytes."""

import asyncio
import contextlib
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Callable

from bench.wire import request

_OPEN_SECONDS = 30.0
_CLOSE, _PING, _PONG = 8, 9, 10
_SHORT, _MEDIUM = 126, 127


class Subscriber(asyncio.Protocol):
    """Ask once, then take whatever comes; *heard* is when something came last, in the loop's time."""

    expects = b"HTTP/1.1 200"

    def __init__(self, asked: bytes) -> None:
        self._asked = asked
        self._head: bytes | None = b""
        self.transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self.transport = transport  # type: ignore[assignment] # a stream socket has a Transport
        transport.write(self._asked)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Read the head once; tell afterwards that something came."""
        if self._head is not None:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = None
            self._open(head)
        if data and self.took(data) and self.heard is not None and not self.heard.done():
            self.heard.set_result(None)

    def _open(self, head: bytes) -> None:
        if self.opened.done():
            return
        if head.startswith(self.expects):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(f"refused: {head[:200]!r}"))

    def took(self, data: bytes) -> bool:
        """Tell whether *data* carries an event."""
        return b"data:" in data

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that nothing will come."""
        error = exc or ConnectionError("the server closed the subscription")
        for waiting in (self.opened, self.heard):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)


class SocketSubscriber(Subscriber):
    """The same over a WebSocket; it answers pings."""

    expects = b"HTTP/1.1 101"

    def __init__(self, asked: bytes) -> None:
        super().__init__(asked)
        self._buffer = b""

    def took(self, data: bytes) -> bool:
        """Take the frames in *data*; tell whether one carries an event."""
        self._buffer += data
        found = False
        while (frame := _frame(self._buffer)) is not None:
            opcode, payload, end = frame
            self._buffer = self._buffer[end:]
            if opcode == _PING and self.transport is not None:
                self.transport.write(_masked(_PONG, payload))
            found = found or opcode < _CLOSE
        return found


def _frame(data: bytes) -> tuple[int, bytes, int] | None:
    """Return opcode, payload and end of the first frame; a server's frames are not masked."""
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length >= _SHORT:
        size = 2 if length == _SHORT else 8
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    end = start + length
    return (data[0] & 0x0F, data[start:end], end) if len(data) >= max(end, start) else None


def _masked(opcode: int, payload: bytes) -> bytes:
    mask = os.urandom(4)
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + body


def event_stream(token: str) -> Subscriber:
    """Return a subscriber of server-sent events."""
    headers = {"Accept": "text/event-stream"}
    return Subscriber(request("GET", "/api/v1/events/stream", token=token, headers=headers))


def event_socket(token: str) -> Subscriber:
    """Return a subscriber on a WebSocket."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": b64encode(os.urandom(16)).decode(),
    }
    return SocketSubscriber(request("GET", "/ws/events", token=token, headers=headers))


@contextlib.asynccontextmanager
async def subscribed(
    port: int, count: int, make: Callable[[], Subscriber]
) -> AsyncIterator[list[Subscriber]]:
    """Keep *count* subscriptions open; raise ConnectionError where one is refused."""
    found: list[Subscriber] = []
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            for _ in range(count):
                _, one = await loop.create_connection(make, "127.0.0.1", port)
                found.append(one)
                await one.opened
        yield found
    finally:
        for one in found:
            if one.transport is not None:
                one.transport.close()
