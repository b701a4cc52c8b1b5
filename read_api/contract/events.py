"""Pages of the event history, each caller's as they may see it."""

import asyncio
from collections.abc import Callable, Iterable

from msgspec import Struct

from commands.log import EventLog, Selection
from commands.position import START, Position, position_after
from domain.actor import Actor
from domain.event import event_topics
from domain.file.paths import checked_path
from domain.identifiers import file_stream
from domain.project.private_time import SeenHistory
from domain.record import Record
from projections.budget import PAGE_BYTES, Budget, current_budget
from projections.models.projects import PROJECTS
from read_api.api import Api
from read_api.contract.past import check_history, moment_of
from read_api.contract.queries import EventQuery, HistoryQuery
from read_api.gateway.call import Call
from read_api.problems import BadInputError
from read_api.realtime.events import TECHNICAL, RenderedEvent, project_of, render_event

_SCANNED = 5_000
_READ_BYTES = 2 * PAGE_BYTES

Show = Callable[[EventLog, Record], RenderedEvent | None]
"""From a record to what the caller is shown of it, None for nothing."""


class EventPage(Struct, frozen=True, kw_only=True):
    """Events that are ready to be sent, the position after the last one read, and whether more may follow."""

    events: list[RenderedEvent]
    position: Position
    more: bool


async def list_events(call: Call, query: EventQuery) -> EventPage:
    """Return events, oldest first: all for administrators and auditors, those of visible projects for others.

    Analysts get the others as the public topics have them, without personal data; a caller who is only an
    analyst gets all of them like that.
    """
    api, actor = call.api, call.actor
    await call.read(lambda _: None)
    tip = api.logs.tip()
    if not actor.sees_all:
        # An event of a project that the read model does not have yet would be skipped for ever.
        await api.progress.wait((PROJECTS,), tip.sequences, api.wait_seconds)
    known: dict[str, SeenHistory | None] = {}

    def show(log: EventLog, record: Record) -> RenderedEvent | None:
        if actor.sees_all or (not actor.only_analyses and _visible(api, actor, record, known)):
            return render_event(log, record) if query.stream in (None, record.stream) else None
        published = api.published(log, record) if actor.analyses else None
        return published if published is not None and query.stream in (None, published.stream) else None

    # The log knows streams by their own names, which an analyst could guess.
    stream = query.stream if actor.sees_all or not actor.analyses else None
    selection = Selection(topics=_topics(query.type), stream=stream)
    return await _page(call, selection, query, show, tip)


async def list_history(call: Call, project_id: str, query: HistoryQuery) -> EventPage:
    """Return a project's events, oldest first; with a path, those of that file. Raises NotFoundError.

    A caller who could not see the project while it was private does not see what was written then.
    """
    api, actor = call.api, call.actor
    history = await check_history(call, project_id)
    stream = None if query.path is None else file_stream(project_id, checked_path(query.path))
    selection = Selection(home=None if stream else project_id, topics=_topics(query.type), stream=stream)

    def show(log: EventLog, record: Record) -> RenderedEvent | None:
        if not history.includes(record.sequence):
            return None
        if actor.only_analyses:
            return api.published(log, record)
        return render_event(log, record) if actor.sees_all or not record.topic.startswith(TECHNICAL) else None

    number = api.logs.number_of(project_id)
    if query.as_of is None:
        end = api.logs.tip(number)
    else:
        end = (await moment_of(call, project_id, query.as_of)).position
    return await _page(call, selection, query, show, end, only=number)


def _topics(topic: str | None) -> tuple[str, ...] | None:
    if topic is None:
        return None
    if topic not in event_topics():
        raise BadInputError(f"type takes one of {', '.join(event_topics())}", "type")
    return (topic,)


def _visible(api: Api, actor: Actor, record: Record, known: dict[str, SeenHistory | None]) -> bool:
    """Return whether *actor* may see *record* of a project; *known* remembers what they see of each."""
    if project_of(record) is None or record.topic.startswith(TECHNICAL):
        return False
    home = record.home
    if home not in known:
        known[home] = api.queries.projects.histories([home], actor).get(home)
    history = known[home]
    return history is not None and history.includes(record.sequence)


async def _page(
    call: Call,
    selection: Selection,
    query: EventQuery | HistoryQuery,
    show: Show,
    tip: Position,
    *,
    only: int | None = None,
) -> EventPage:
    """Return up to `query.limit` events that are shown, up to *tip*; with *only*, of one partition.

    The number of records that one page reads is bounded; the next page continues from there.
    """
    token, api = query.start, call.api
    start = START if token is None else await api.consistency.reached(token)
    records = api.logs.records(start.sequences, selection, through=tip.sequences, only=only)
    budget = current_budget() or Budget()
    async with budget.turn():
        page = await asyncio.to_thread(
            scan_records, records, start, query.limit, show, several=len(api.logs) > 1, budget=budget
        )
    if page.more:
        return page
    return EventPage(events=page.events, position=tip.join(page.position), more=False)


def scan_records(
    records: Iterable[tuple[EventLog, Record]],
    start: Position,
    limit: int,
    show: Show,
    *,
    several: bool,
    budget: Budget | None = None,
) -> EventPage:
    """Return up to *limit* events that *show* gives of *records*, which follow *start*.

    A page ends after some megabytes, and the work with the request whose *budget* it is.

    With *several* partitions, each event carries the position of the whole list after it, so that a client
    which continues there misses and repeats nothing. With one partition that is the event's own.
    """
    events: list[RenderedEvent] = []
    last: dict[int, Record] = {}
    size = read = 0
    for scanned, (log, record) in enumerate(records):
        if len(events) == limit or scanned == _SCANNED or size > PAGE_BYTES or read > _READ_BYTES:
            return EventPage(events=events, position=_moved(start, last), more=True)
        if budget is not None:
            budget.check()
            budget.read(len(record.data))
        read += len(record.data)
        last[log.number] = record
        event = show(log, record)
        if event is not None:
            size += len(event.json)
            events.append(event.at(_moved(start, last)) if several else event)
    return EventPage(events=events, position=_moved(start, last), more=False)


def _moved(start: Position, last: dict[int, Record]) -> Position:
    """Return *start*, moved in each partition to the last record that was read there."""
    return start.moved(
        position_after((number, record.sequence, record.chain) for number, record in last.items())
    )
