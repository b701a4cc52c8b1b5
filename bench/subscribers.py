"""Idle subscribers that cost the generator little: server-sent events, and WebSockets (RFC 6455)."""

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
    """Sends one request and reads the stream that follows; an event completes *heard*."""

    expects = b"HTTP/1.1 200"

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._head: bytes | None = b""
        self.transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self.transport = transport  # type: ignore[assignment] # a stream socket has a Transport
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Read the head of the answer, then complete *heard* once an event comes."""
        if self._head is not None:
            self._head += data
            head, separator, data = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            self._head = None
            self._open(head)
        if data and self.has_event(data) and self.heard is not None and not self.heard.done():
            self.heard.set_result(None)

    def _open(self, head: bytes) -> None:
        if self.opened.done():
            return
        if head.startswith(self.expects):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(f"refused: {head[:200]!r}"))

    def has_event(self, data: bytes) -> bool:
        """Return whether *data* carries an event."""
        return b"data:" in data

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the futures that wait."""
        error = exc or ConnectionError("the server closed the subscription")
        for waiting in (self.opened, self.heard):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)


class SocketSubscriber(Subscriber):
    """The same over a WebSocket; it answers pings."""

    expects = b"HTTP/1.1 101"

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self._buffer = b""

    def has_event(self, data: bytes) -> bool:
        """Read the frames in *data*; return whether one carries an event."""
        self._buffer += data
        event = False
        while (frame := _frame(self._buffer)) is not None:
            opcode, payload, end = frame
            self._buffer = self._buffer[end:]
            if opcode == _PING and self.transport is not None:
                self.transport.write(_masked(_PONG, payload))
            event = event or opcode < _CLOSE
        return event


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
    subscribers: list[Subscriber] = []
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            for _ in range(count):
                _, subscriber = await loop.create_connection(make, "127.0.0.1", port)
                subscribers.append(subscriber)
                await subscriber.opened
        yield subscribers
    finally:
        for subscriber in subscribers:
            if subscriber.transport is not None:
                subscriber.transport.close()
