"""Live subscribers: the memory of an idle one, and the time until an event has reached all of them."""

import asyncio
from collections.abc import Callable
from time import perf_counter

from bench.api import create
from bench.connection import ask, run
from bench.session import Session
from bench.subscribers import Subscriber, event_socket, event_stream, subscribed

_SETTLE_SECONDS = 2.0
_FAN_OUT_SECONDS = 30.0
_EVENTS = 10


def live(session: Session) -> None:
    """Open idle subscribers of both kinds, measure the server's memory, then send them events."""
    token = session.token or ""
    for kind, about, make in (
        ("sse", "server-sent events", lambda: event_stream(token)),
        ("websocket", "WebSocket", lambda: event_socket(token)),
    ):
        session.restart()  # memory that an earlier measure freed would hide the growth
        growth, seconds = run(_weigh(session, make))
        count = session.plan.subscribers
        each = growth / count / 1000
        session.add(
            f"subscriber-{kind}",
            each,
            "kB",
            "lower",
            f"resident memory of an idle subscriber, {about}, {count} of them",
        )
        session.add(
            f"fan-out-{kind}",
            [1000 * value for value in seconds],
            "ms",
            "lower",
            f"from sending a command until the last of {count} subscribers has its event, {about}",
        )
    session.remember_memory("subscribers")


async def _weigh(session: Session, make: Callable[[], Subscriber]) -> tuple[int, list[float]]:
    async with subscribed(session.port, 1, make) as subscribers:
        await _fan_out(session, subscribers)
    before = session.server.resident_bytes()
    async with subscribed(session.port, session.plan.subscribers, make) as subscribers:
        await asyncio.sleep(_SETTLE_SECONDS)
        growth = session.server.resident_bytes() - before
        return growth, [await _fan_out(session, subscribers) for _ in range(_EVENTS)]


async def _fan_out(session: Session, subscribers: list[Subscriber]) -> float:
    loop = asyncio.get_running_loop()
    for subscriber in subscribers:
        subscriber.heard = loop.create_future()
    began = perf_counter()
    await ask(session.port, create(session.token, "for all to see", "public"))
    async with asyncio.timeout(_FAN_OUT_SECONDS):
        await asyncio.gather(*(each.heard for each in subscribers if each.heard is not None))
    return perf_counter() - began
