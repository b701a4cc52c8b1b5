"""Answers about the past: the same queries over read models that end at an earlier position."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from commands.outcomes import Accepted
from commands.position import PositionError
from domain.times import from_rfc3339
from read_api.gateway.call import Call, known_position
from read_api.gateway.problems import BadInputError, HttpError
from read_api.services import Queries

T = TypeVar("T")

_travels = asyncio.Semaphore(2)


async def asked_past(call: Call, project_id: str, as_of: str, ask: Callable[[Queries], T]) -> T:
    """Ask about a project as it was; who may not see it now may not see its past.

    Raises NotFoundError where it was not there yet, and BadInputError for what is neither time nor position.
    """
    actor = call.actor
    await call.read(lambda q: q.projects.get_bare(project_id, actor))
    return await ask_at(call, project_id, _sequence(call, as_of), ask)


async def ask_at(call: Call, project_id: str, sequence: int, ask: Callable[[Queries], T]) -> T:
    """Ask read models that hold the project's history up to *sequence*."""
    if _travels.locked() and len(_travels._waiters or ()) > 16:  # noqa: PLR2004, SLF001 # a bound on waiting work
        raise HttpError(
            503, "busy", "too many questions about the past at once", headers={"Retry-After": "1"}
        )
    async with _travels:
        queries = await asyncio.to_thread(call.api.past, project_id, sequence)
        return ask(queries)


async def left_by(call: Call, done: Accepted, project_id: str, ask: Callable[[Queries], T]) -> T:
    """Ask for what a command left behind: the present for a new one, that moment for a repeated one."""
    if done.replayed:
        await call.read(lambda _: None, at=done)
        return await ask_at(call, project_id, done.position.sequence(), ask)
    return await call.read(ask, project=project_id, at=done)


def _sequence(call: Call, as_of: str) -> int:
    log = call.api.log
    try:
        return log.sequence_at(from_rfc3339(as_of.replace(" ", "+")))
    except (ValueError, OverflowError):
        pass
    try:
        return min(known_position(call.api, as_of).sequence(), log.tip().sequence)
    except PositionError as error:
        raise BadInputError("asOf takes an RFC 3339 time or a position token", "asOf") from error
