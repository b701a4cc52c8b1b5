"""Answers about the past: the same queries over a project as it was at an earlier moment."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from commands.log import EventLog, Selection
from commands.position import START, Position, PositionError, parse_position
from domain.errors import NotFoundError
from domain.project.private_time import EVERYTHING, SeenHistory
from domain.times import from_rfc3339, parse_rfc3339
from projections.queries.access import project_not_found, seen_history
from read_api.gateway.call import Call
from read_api.gateway.request_past import PastMoment
from read_api.past_answers import Work
from read_api.problems import BadInputError
from read_api.query_services import Queries

T = TypeVar("T")

AUTHORED = "authored:"
_INSIGHT_SECONDS = 1.0
_GLANCE_SECONDS = 0.02
_PARAMETER = "asOf"
_FORMS = (
    "write an RFC 3339 time with its offset, such as 2026-01-31T12:00:00Z, "
    "the CodePark-Position of an answer, or authored: and a date or time, such as authored:2026-01-31"
)


async def ask(
    call: Call,
    project_id: str,
    as_of: str | None,
    question: Callable[[Queries], T],
    *,
    authored: bool = False,
) -> T:
    """Ask about a project as it is, or as it was at *as_of*; raises as `read` and `past_answer` do."""
    if as_of is None:
        return await call.read(question, project=project_id)
    return await past_answer(call, project_id, as_of, question, authored=authored)


async def past_answer(
    call: Call,
    project_id: str,
    as_of: str,
    question: Callable[[Queries], T],
    *,
    authored: bool = False,
    insights: bool = False,
) -> T:
    """Ask about a project as it was; a caller who may not see it now may not see its past.

    Nor does a caller see the private time of a public project who could not see it then.

    With *authored*, *as_of* may be a time by the clocks of the commits' authors; with *insights* the answer
    is about them, and measures files for longer. Raises NotFoundError where it did not exist then,
    BadInputError where *as_of* is no moment, and HttpError 503.
    """
    past = call.past
    async with past.turn:
        history = await check_history(call, project_id)
        moment = await moment_of(call, project_id, as_of, authored=authored)
        if not history.includes(moment.sequence):
            raise _not_then(project_id)
        number = call.api.logs.number_of(project_id)
        await call.api.progress.wait(call.api.models, {number: moment.sequence}, call.api.wait_seconds)
        work = Work(_INSIGHT_SECONDS if insights else _GLANCE_SECONDS)
        try:
            answer = await call.api.past.ask(caller_of(call), project_id, moment.sequence, question, work)
        except NotFoundError as error:
            if error.specific_code != project_not_found(project_id).specific_code:
                raise
            raise _not_then(project_id) from error
        past.shown.add(moment.position.token())
        return answer


def _not_then(project_id: str) -> NotFoundError:
    """Return the refusal to a caller who may see the project, for a moment that it has not."""
    error = project_not_found(project_id)
    return NotFoundError(
        f"project {project_id} was not there yet at that moment, or you could not see it then",
        code=error.specific_code,
    )


async def moment_of(call: Call, project_id: str, as_of: str, *, authored: bool = False) -> PastMoment:
    """Return the moment that *as_of* names for a project; raises as `past_answer` does."""
    if as_of.startswith(AUTHORED) and not authored:
        raise BadInputError(
            "asOf=authored:… is for a project, its files, commits and insights; "
            "write a time or a position token here",
            _PARAMETER,
        )
    key = (project_id, as_of)
    known = call.past.moments.get(key)
    if known is None:
        known = call.past.moments[key] = await _moment(call, project_id, as_of)
    return known


def caller_of(call: Call) -> str:
    """Name who asks: an account by its id, an anonymous caller by the address."""
    actor = call.actor
    return f"address:{call.address}" if actor.is_anonymous else actor.id


async def check_history(call: Call, project_id: str) -> SeenHistory:
    """Return which part of the project's history the caller sees; raises NotFoundError where that is none.

    Administrators and auditors may also read the history of a deleted project.
    """
    actor = call.actor
    try:
        project = await call.read(lambda q: q.projects.get_bare(project_id, actor), project=project_id)
    except NotFoundError:
        if not actor.sees_all or not call.api.logs.of(project_id).read(0, 1, Selection(home=project_id)):
            raise
        return EVERYTHING
    return seen_history(project, actor)


async def _moment(call: Call, project_id: str, as_of: str) -> PastMoment:
    log: EventLog = call.api.logs.of(project_id)
    if as_of.startswith(AUTHORED):
        return await _authored(call, project_id, log, _authored_time(as_of))
    try:
        milliseconds = parse_rfc3339(as_of.replace(" ", "+"))
    except (ValueError, OverflowError):
        return await _position(call, log, as_of)
    return await asyncio.to_thread(lambda: _at(log, log.sequence_at(milliseconds)))


async def _position(call: Call, log: EventLog, as_of: str) -> PastMoment:
    try:
        parse_position(as_of)
    except PositionError as error:
        raise BadInputError(f"asOf: {_FORMS}", _PARAMETER) from error
    try:
        position = await call.api.consistency.reached(as_of, _PARAMETER)
    except BadInputError as error:
        raise BadInputError(f"asOf: {error.detail}", _PARAMETER) from error
    return PastMoment(position.sequence(log.number), position)


async def _authored(call: Call, project_id: str, log: EventLog, milliseconds: int) -> PastMoment:
    past = call.api.past
    sequence = await past.run(
        caller_of(call), lambda work: past.past.authored_by(project_id, milliseconds, work)
    )
    if sequence is None:
        raise NotFoundError("no commit of this project was authored by then", code="commit_not_found")
    return await asyncio.to_thread(_at, log, sequence)


def _authored_time(as_of: str) -> int:
    """Return the time of `authored:`; a date stands for its end, in UTC."""
    text = as_of.removeprefix(AUTHORED).replace(" ", "+")
    try:
        if len(text) <= len("2020-01-01"):
            end = datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
            return from_rfc3339(end.isoformat()) - 1
        return parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise BadInputError(
            "asOf=authored: takes a date such as 2020-01-31, or an RFC 3339 time with an offset", _PARAMETER
        ) from error


def _at(log: EventLog, sequence: int) -> PastMoment:
    """Return the moment after the record *sequence*; raises LogUnavailableError."""
    position = Position.at(sequence, log.tip_at(sequence).chain, log.number) if sequence else START
    return PastMoment(sequence, position)
