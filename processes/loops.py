"""Event loops, and pauses in them."""

import asyncio
from contextlib import suppress


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop, which no thread runs yet: uvloop's where the platform has it.

    It does the same work in less processor time.
    """
    try:
        import uvloop  # noqa: PLC0415 # it does not exist on every platform
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def pause(woken: asyncio.Event, seconds: float) -> None:
    """Wait until *woken* is set, for up to *seconds*."""
    with suppress(TimeoutError):
        await asyncio.wait_for(woken.wait(), seconds)
