"""A small reverse proxy: each connection goes to the next node, with what a proxy adds."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import cycle

from tests.support.time_scale import stretched

_CHUNK = 65_536


class Proxy:
    """Hands connections on; of each it changes the first request, and closes after its answer."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = cycle(ports)
        self.port = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            to_node, from_us = await asyncio.open_connection("127.0.0.1", next(self._ports))
            async with _closing(from_us):
                from_us.write(_changed(head))
                ways = [asyncio.create_task(_pipe(*way)) for way in ((reader, from_us), (to_node, writer))]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            yield
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _changed(head: bytes) -> bytes:
    """Forward for the address in `X-Test-Client`, as if the connection came from there."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    client = next(
        line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"x-test-client:")
    )
    upgrades = any(line.lower().startswith(b"upgrade:") for line in lines)
    if not upgrades:
        lines = [line for line in lines if not line.lower().startswith(b"connection:")] + [
            b"Connection: close"
        ]
    given = [line for line in lines if line.lower().startswith(b"x-forwarded-for:")]
    before = b"".join(line.partition(b":")[2].strip() + b", " for line in given)
    lines = [line for line in lines if line not in given]
    lines += [b"X-Forwarded-For: " + before + client, b"X-Forwarded-Proto: https"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


@contextmanager
def proxied(ports: Sequence[int]) -> Iterator[str]:
    """Run a proxy before the nodes on *ports*; yields its URL."""
    proxy, started = Proxy(ports), threading.Event()
    ended: list[Callable[[], object]] = []

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        ended.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with await proxy.start():
            started.set()
            await stop.wait()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert started.wait(stretched(10))
        yield f"http://127.0.0.1:{proxy.port}"
    finally:
        ended[0]()
        thread.join(stretched(10))
