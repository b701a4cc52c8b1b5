"""Run the parts of a conversation concurrently until one of them ends it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def first_result(*parts: Coroutine[Any, Any, T]) -> T:
    """Run *parts* concurrently, cancel the others when one ends, and return its result or raise its error.

    The others have ended when this returns: granian closes a socket only when nothing receives from it any
    more.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
