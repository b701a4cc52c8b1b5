"""Answers about the past: the same queries over read models that end at an earlier position."""

import asyncio
from collections.abc import Callable

import msgspec

from commands.log import EventLog, Selection
from commands.position import PositionError
from domain.errors import NotFoundError
from domain.times import parse_rfc3339
from projections.writes import Document
from read_api.gateway.call import Call
from read_api.problems import BadInputError
from read_api.query_services import Queries

CACHED_SECONDS = 300


async def past_project(call: Call, project_id: str, as_of: str) -> Document:
    """Return a project as it was; raises as `past_answer` does."""
    actor = call.actor
    return await past_answer(call, project_id, as_of, "project", lambda q: q.projects.get(project_id, actor))


async def past_file(call: Call, project_id: str, path: str, as_of: str) -> Document:
    """Return a file with its content as it was; raises as `past_answer` does."""
    actor = call.actor
    return await past_answer(
        call, project_id, as_of, f"file:{path}", lambda q: q.files.get(project_id, path, actor)
    )


async def past_answer(
    call: Call, project_id: str, as_of: str, name: str, ask: Callable[[Queries], Document]
) -> Document:
    """Ask about a project as it was; a caller who may not see it now may not see its past.

    The past does not change, so the answer is cached for a while under the question's *name*. Raises
    NotFoundError where it did not exist then, and BadInputError where *as_of* is neither time nor position.
    """
    await check_history(call, project_id)
    sequence = await _sequence_at(call, project_id, as_of)
    key = f"past:{project_id}:{sequence}:{call.actor.id}:{name}"
    cached = await asyncio.to_thread(call.api.cache.get, key)
    if cached is not None:
        document: Document = msgspec.json.decode(cached)
        return document
    answer = await call.api.past.ask(project_id, sequence, ask)
    await asyncio.to_thread(call.api.cache.put, key, msgspec.json.encode(answer), CACHED_SECONDS)
    return answer


async def check_history(call: Call, project_id: str) -> None:
    """Refuse a caller who may not read the project's history; raises NotFoundError.

    Administrators and auditors may also read the history of a deleted project.
    """
    actor = call.actor
    try:
        await call.read(lambda q: q.projects.get_bare(project_id, actor), project=project_id)
    except NotFoundError:
        if not actor.sees_all or not call.api.logs.of(project_id).read(0, 1, Selection(home=project_id)):
            raise


async def _sequence_at(call: Call, project_id: str, as_of: str) -> int:
    """Return the sequence of the project's partition at the time or position *as_of*."""
    log: EventLog = call.api.logs.of(project_id)
    try:
        return log.sequence_at(parse_rfc3339(as_of.replace(" ", "+")))
    except (ValueError, OverflowError):
        pass
    try:
        return (await call.api.consistency.reached(as_of)).sequence(log.number)
    except PositionError as error:
        raise BadInputError(f"asOf takes an RFC 3339 time or a position token: {error}", "asOf") from error
