"""A keep-alive connection of the load generator; it uses callbacks, because futures cost more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from bench.wire import Answer, AnswerReader

T = TypeVar("T")
OnAnswer = Callable[[Answer | None], None]
_OPEN_SECONDS = 10
_CLOSE_SECONDS = 5
_ASK_SECONDS = 60


class Connection(asyncio.Protocol):
    """Send one request at a time; the callback gets the answer, or None where the connection was lost."""

    __slots__ = ("_lost", "_on_answer", "_reader", "_transport")

    def __init__(self) -> None:
        self._reader = AnswerReader()
        self._on_answer: OnAnswer | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment] # a stream socket has a Transport

    def send(self, request: bytes, on_answer: OnAnswer) -> None:
        """Write *request*; call *on_answer* once."""
        if self._transport is None or self._transport.is_closing():
            asyncio.get_running_loop().call_soon(on_answer, None)
            return
        self._on_answer = on_answer
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Pass the answer to the callback once it is complete."""
        answer = self._reader.feed(data)
        if answer is not None and (on_answer := self._on_answer) is not None:
            self._on_answer = None
            on_answer(answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # the protocol's signature
        """Pass None to the callback that waits for an answer."""
        self._lost.set()
        on_answer, self._on_answer = self._on_answer, None
        if on_answer is not None:
            on_answer(None)

    async def ask(self, request: bytes, seconds: float = _ASK_SECONDS) -> Answer:
        """Return the answer to *request*; raise ConnectionError or TimeoutError."""
        waiting: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self.send(request, lambda answer: None if waiting.done() else waiting.set_result(answer))
        async with asyncio.timeout(seconds):
            answer = await waiting
        if answer is None:
            raise ConnectionError("the server closed the connection")
        return answer

    async def close(self) -> None:
        """Close the connection, and wait up to 5 s until it is closed."""
        if self._transport is None:
            return
        self._transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._lost.wait()


async def connect(port: int) -> Connection:
    """Return a connection to the loopback server on *port*."""
    async with asyncio.timeout(_OPEN_SECONDS):
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


@contextlib.asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[list[Connection]]:
    """Keep *count* connections open."""
    connections: list[Connection] = []
    try:
        for _ in range(count):
            connections.append(await connect(port))  # noqa: PERF401 # when one fails, those before it are closed
        yield connections
    finally:
        for connection in connections:
            await connection.close()


async def ask(port: int, request: bytes, seconds: float = _ASK_SECONDS) -> Answer:
    """Return the answer to one request on a connection of its own."""
    async with connected(port, 1) as (connection,):
        return await connection.ask(request, seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* on uvloop where it is installed, else on the standard event loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 # not on every platform

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
