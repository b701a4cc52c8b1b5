"""New event loops: uvloop's where the platform has it, which does the same work in less processor time."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop, which no thread runs yet."""
    try:
        import uvloop  # noqa: PLC0415 # it does not exist on every platform
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
