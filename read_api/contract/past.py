"""Answers about the past: the same queries over read models that end at an earlier position."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from commands.log import EventLog, Selection
from commands.outcomes import Accepted
from commands.position import PositionError
from domain.errors import NotFoundError
from domain.times import from_rfc3339
from projections.writes import Document
from read_api.api import Api
from read_api.gateway.call import Call
from read_api.gateway.problems import RETRY_SECONDS, BadInputError, HttpError
from read_api.query_services import Queries

T = TypeVar("T")

KEPT_SECONDS = 300
_AT_ONCE = 2
_WAITING = 16


class Travels:
    """Bound how many questions about the past are worked on, and how many wait."""

    def __init__(self, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        """Let *at_once* run and *waiting* more wait."""
        self._running = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    async def ask(self, api: Api, project_id: str, sequence: int, ask: Callable[[Queries], T]) -> T:
        """Ask read models that hold the project's history up to *sequence*; raises HttpError 503 without room."""
        if self._room == 0:
            raise HttpError(
                503,
                "busy",
                "too many questions about the past at once",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._room -= 1
        try:
            async with self._running:
                return await asyncio.to_thread(lambda: ask(api.past(project_id, sequence)))
        finally:
            self._room += 1


_travels = Travels()


async def asked_past(
    call: Call, project_id: str, as_of: str, name: str, ask: Callable[[Queries], Document]
) -> Document:
    """Ask about a project as it was; who may not see it now may not see its past.

    The past does not change, so that an answer is kept for a while under the question's *name*.
    Raises NotFoundError where it was not there yet, and BadInputError for what is neither time nor position.
    """
    await check_history(call, project_id)
    sequence = await _sequence(call, project_id, as_of)
    key = f"past:{project_id}:{sequence}:{call.actor.id}:{name}"
    kept = await asyncio.to_thread(call.api.cache.get, key)
    if kept is not None:
        found: Document = msgspec.json.decode(kept)
        return found
    made = await _travels.ask(call.api, project_id, sequence, ask)
    await asyncio.to_thread(call.api.cache.put, key, msgspec.json.encode(made), KEPT_SECONDS)
    return made


async def check_history(call: Call, project_id: str) -> None:
    """Refuse who may not read the project's history: administrators and auditors read a deleted one's too."""
    actor = call.actor
    try:
        await call.read(lambda q: q.projects.get_bare(project_id, actor))
    except NotFoundError:
        if not actor.sees_all or not call.api.logs.of(project_id).read(0, 1, Selection(home=project_id)):
            raise


async def left_by(
    call: Call, done: Accepted, project_id: str, ask: Callable[[Queries], T], *, insights: bool = False
) -> T:
    """Ask for what a command left behind: the present for a new one, that moment for a repeated one.

    *insights* tells that the answer shows them, and so has to wait until they are measured.
    """
    if done.replayed:
        await call.reached(done.position.token())  # another node may have told of it first
        sequence = done.position.sequence(call.api.logs.number_of(project_id))
        return await _travels.ask(call.api, project_id, sequence, ask)
    return await call.read(ask, project=project_id if insights else None, at=done)


async def _sequence(call: Call, project_id: str, as_of: str) -> int:
    """Return the sequence of the project's partition that *as_of* tells."""
    log: EventLog = call.api.logs.of(project_id)
    try:
        return log.sequence_at(from_rfc3339(as_of.replace(" ", "+")))
    except (ValueError, OverflowError):
        pass
    try:
        return (await call.reached(as_of)).sequence(log.number)
    except PositionError as error:
        raise BadInputError(f"asOf takes an RFC 3339 time or a position token: {error}", "asOf") from error
