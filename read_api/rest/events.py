"""`/events` and `/projects/{id}/history`: the event history itself."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from commands.log import EventLog, Selection
from commands.position import START, Position, position_after
from domain.actor import Actor
from domain.event import event_topics
from domain.file.paths import checked_path
from domain.identifiers import file_stream
from domain.record import Record
from projections.models.projects import PROJECTS
from read_api.api import Api
from read_api.contract.lists import Limit
from read_api.contract.past import check_history
from read_api.contract.views import EventPage
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.gateway.problems import BadInputError
from read_api.realtime.events import TECHNICAL, RenderedEvent, project_of, render_event
from read_api.rest.projects import PROJECT

operation = Operations("History")

_SCANNED = 5_000

Show = Callable[[EventLog, Record], RenderedEvent | None]
"""From a record to what the caller is shown of it, None for nothing."""

Token = Annotated[str, Meta(min_length=1, max_length=1_200, pattern=r"^[A-Za-z0-9_-]+$")]
Topic = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[a-z_.]+$")]


class EventQuery(Struct, frozen=True, kw_only=True):
    """Which events, behind which position."""

    after: Token | None = None
    cursor: Token | None = None
    limit: Limit = 20
    type: Topic | None = None
    stream: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[a-z]+-[A-Za-z0-9:-]+$")] | None = (
        None
    )


class HistoryQuery(Struct, frozen=True, kw_only=True):
    """Which of a project's events, behind which position."""

    after: Token | None = None
    cursor: Token | None = None
    limit: Limit = 20
    type: Topic | None = None
    path: Annotated[str, Meta(min_length=1, max_length=1_024)] | None = None


@operation("GET", "/api/v1/events", "events.read", query=EventQuery, output=EventPage)
async def list_events(call: Call, query: EventQuery) -> Answer:
    """List events, oldest first: all for administrators and auditors, those of visible projects for others.

    Analysts get the rest, and who is nothing else all of it, as the public topics have it: without personal data.
    """
    actor = call.actor
    await call.read(lambda _: None)
    tip = call.api.logs.tip()
    if (
        not actor.sees_all
    ):  # of a project that the read model does not have yet, events would be passed by for ever
        await call.api.progress.wait((PROJECTS,), tip.sequences, call.api.wait_seconds)
    known: dict[str, bool] = {}

    def show(log: EventLog, record: Record) -> RenderedEvent | None:
        if actor.sees_all or (not actor.only_analyses and _visible(call.api, actor, record, known)):
            return render_event(log, record)
        return call.api.published(log, record) if actor.analyses else None

    selection = Selection(topics=_topics(query.type), stream=query.stream)
    return await _page(call, selection, query.after or query.cursor, query.limit, show, tip)


@operation("GET", PROJECT + "/history", "events.read", query=HistoryQuery, output=EventPage)
async def list_history(call: Call, query: HistoryQuery) -> Answer:
    """List a project's events, oldest first; with a path, those of that file."""
    project_id, actor = call.path["project_id"], call.actor
    await check_history(call, project_id)
    stream = None if query.path is None else file_stream(project_id, checked_path(query.path))
    selection = Selection(home=None if stream else project_id, topics=_topics(query.type), stream=stream)

    def show(log: EventLog, record: Record) -> RenderedEvent | None:
        if actor.only_analyses:
            return call.api.published(log, record)
        return render_event(log, record) if actor.sees_all or not record.topic.startswith(TECHNICAL) else None

    number = call.api.logs.number_of(project_id)
    tip = call.api.logs.tip(number)
    return await _page(call, selection, query.after or query.cursor, query.limit, show, tip, only=number)


def _topics(wanted: str | None) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    if wanted not in event_topics():
        raise BadInputError(f"type takes one of {', '.join(event_topics())}", "type")
    return (wanted,)


def _visible(api: Api, actor: Actor, record: Record, known: dict[str, bool]) -> bool:
    if project_of(record) is None or record.topic.startswith(TECHNICAL):
        return False
    found = known.get(record.home)
    if found is None:
        found = known[record.home] = bool(api.queries.projects.visible([record.home], actor))
    return found


async def _page(
    call: Call,
    selection: Selection,
    token: str | None,
    limit: int,
    show: Show,
    tip: Position,
    *,
    only: int | None = None,
) -> Answer:
    """Answer with up to *limit* events that are shown, up to *tip*, of one partition with *only*.

    How many are looked at is bounded, and the cursor goes on from there.
    """
    logs, start = call.api.logs, START if token is None else await call.reached(token)
    records = logs.records(start.sequences, selection, through=tip.sequences, only=only)
    scan = partial(_scan, records, start, limit, show, several=len(logs) > 1)
    found, position, more = await asyncio.to_thread(scan) if call.api.in_threads else scan()
    if not more:
        position = position.join(tip)
    body = {
        "items": [msgspec.Raw(event.json) for event in found],
        "nextCursor": position.token() if more else None,
        "position": position.token(),
    }
    headers = {"CodePark-Position": position.token(), "Cache-Control": "private, no-cache"}
    return Answer(body=msgspec.json.encode(body), headers=headers)


def _scan(
    records: Iterable[tuple[EventLog, Record]],
    start: Position,
    limit: int,
    show: Show,
    *,
    several: bool,
) -> tuple[list[RenderedEvent], Position, bool]:
    """Return the events that are shown, the position behind the last one looked at, and whether there may be more.

    Each event tells the position of the whole list behind it, which is its own where there are not *several*
    partitions: who goes on from there misses and repeats nothing.
    """
    found: list[RenderedEvent] = []
    last: dict[int, Record] = {}
    for scanned, (log, record) in enumerate(records):
        if len(found) == limit or scanned == _SCANNED:
            return found, _moved(start, last), True
        last[log.number] = record
        event = show(log, record)
        if event is not None:
            found.append(event.at(_moved(start, last)) if several else event)
    return found, _moved(start, last), False


def _moved(start: Position, last: dict[int, Record]) -> Position:
    return start.moved(position_after((number, item.sequence, item.chain) for number, item in last.items()))
