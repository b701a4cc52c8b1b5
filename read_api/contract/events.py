"""Pages of the event history, each caller's as they may see it."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from commands.log import EventLog, Selection
from commands.partitions import Logs
from commands.position import START, Position, position_after
from domain.actor import Actor
from domain.file.paths import checked_path
from domain.identifiers import file_stream, project_stream
from domain.project.private_time import EVERYTHING, SeenHistory
from domain.record import Record
from projections.budget import PAGE_BYTES, Budget
from projections.models.projects import PROJECTS
from projections.queries.access import project_not_found
from read_api.api import Api
from read_api.contract import event_cursors, seen_parts
from read_api.contract.event_filter import EVERY_EVENT, EventFilter
from read_api.contract.event_ranges import Range, first_part, last_part, needs_scan, position_at, range_of
from read_api.contract.large_reads import large_read
from read_api.contract.past import check_history, moment_of
from read_api.contract.queries import EventQuery, HistoryQuery
from read_api.gateway.call import Call
from read_api.problems import BadInputError
from read_api.realtime.events import TECHNICAL, PendingEvent, RenderedEvent, project_of, render_event

_SCANNED = 5_000
_READ_BYTES = 2 * PAGE_BYTES

Show = Callable[[EventLog, Record], RenderedEvent | None]
"""From a record to what the caller is shown of it, None for nothing."""


class EventPage(Struct, frozen=True, kw_only=True):
    """Events that are ready to be sent, the position after the last one read, and whether more may follow.

    *cursors* leads from each event, and at the end from the whole page, to those after it in the list; none
    where the positions do that.
    """

    events: list[RenderedEvent]
    position: Position
    more: bool
    cursors: list[str] | None = None

    @property
    def next_cursor(self) -> str | None:
        """Return the cursor of the next page, None on the last one."""
        if not self.more:
            return None
        return self.position.token() if self.cursors is None else self.cursors[-1]


class _List(Struct, frozen=True, kw_only=True):
    """A list of events: what it selects and shows, and the partition where that is one alone.

    *history* is what the caller sees of the project that the list is about.

    *bounds* are times between which the log is read. An analyst's filter has none: what it selects by exact
    times would show them, while the public form of an event has a rounded one.
    """

    wanted: EventFilter
    bounds: EventFilter
    selection: Selection
    show: Show
    scope: str = ""
    only: int | None = None
    history: SeenHistory = EVERYTHING


class _Back(Struct, frozen=True, kw_only=True):
    """Where a page with the newest events first begins and ends: in the *part* of what the list has left."""

    list_id: str
    tip: Position
    whole: Range
    part: Range


async def list_events(call: Call, query: EventQuery) -> EventPage:
    """Return events: all for administrators and auditors, those of visible projects for others.

    Analysts get the others as the public topics have them, without personal data; a caller who is only an
    analyst gets all of them like that. No event has two forms for one caller.
    """
    api, actor, wanted = call.api, call.actor, query.filter()
    await call.read(lambda _: None)
    await check_projects(call, wanted.projects)
    tip = api.logs.tip()
    if not actor.sees_all:
        # An event of a project that the read model does not have yet would be skipped for ever.
        await api.progress.wait((PROJECTS,), tip.sequences, api.wait_seconds)
    known: dict[str, SeenHistory | None] = {}

    def show(log: EventLog, record: Record) -> RenderedEvent | None:
        if actor.sees_all or (not actor.only_analyses and _visible(api, actor, record, known)):
            event = render_event(log, record)
            return event if passes(wanted, event) else None
        return published(api, wanted, log, record) if actor.analyses else None

    stored = actor.sees_all or not actor.analyses
    selection = wanted.selection(names_are_stored=stored, newest_first=query.newest_first)
    if selection.streams is not None and not actor.sees_all:
        history_of = partial(_history, api, actor, known)
        seen = await asyncio.to_thread(seen_parts.seen_streams, api.logs, selection.streams, history_of)
        selection = replace(selection, streams=seen)
    listed = _List(wanted=wanted, bounds=_bounds(wanted, stored=stored), selection=selection, show=show)
    return await _page(call, listed, query, tip)


async def list_history(call: Call, project_id: str, query: HistoryQuery) -> EventPage:
    """Return a project's events; with a path, those of that file. Raises NotFoundError.

    A caller who could not see the project while it was private does not see what was written then.
    """
    api, actor, wanted = call.api, call.actor, query.filter()
    history = await check_history(call, project_id)
    if wanted.projects is not None and wanted.projects != {project_id}:
        raise BadInputError("this list has the events of one project: leave projects out", "projects")
    number, stored = api.logs.number_of(project_id), actor.sees_all or not actor.analyses
    selection = replace(
        wanted.selection(names_are_stored=stored, newest_first=query.newest_first),
        homes=None,
        home=project_id,
        stream=None if query.path is None else file_stream(project_id, checked_path(query.path)),
    )

    def show(log: EventLog, record: Record) -> RenderedEvent | None:
        if not history.includes(record.sequence):
            return None
        if actor.only_analyses:
            return published(api, wanted, log, record)
        if not actor.sees_all and record.topic.startswith(TECHNICAL):
            return None
        event = render_event(log, record)
        return event if passes(wanted, event) else None

    listed = _List(
        wanted=wanted,
        bounds=_bounds(wanted, stored=stored),
        selection=selection,
        show=show,
        scope=f"{project_id}/{query.path or ''}",
        only=number,
        history=history,
    )
    if query.as_of is None:
        end = api.logs.tip(number)
    else:
        end = (await moment_of(call, project_id, query.as_of)).position
    return await _page(call, listed, query, end)


def _bounds(wanted: EventFilter, *, stored: bool) -> EventFilter:
    return wanted if stored else EVERY_EVENT


def passes(wanted: EventFilter, event: RenderedEvent | PendingEvent) -> bool:
    """Return whether *event* passes, in the form that the caller is shown."""
    return wanted.passes(
        topic=event.topic,
        stream=event.stream,
        home=event.home,
        actor=event.actor,
        occurred_at=event.occurred_at,
    )


def published(api: Api, wanted: EventFilter, log: EventLog, record: Record) -> RenderedEvent | None:
    """Return the public form of *record* where it passes: names are compared as the analyst knows them."""
    event = api.published(log, record)
    return event if event is not None and passes(wanted, event) else None


async def check_projects(call: Call, projects: Collection[str] | None) -> None:
    """Refuse a filter with a project that the caller may not know of; raises NotFoundError.

    Analysts know projects by the public topics, where every project occurs.
    """
    api, actor = call.api, call.actor
    if not projects or (actor.analyses and not actor.sees_all):
        return
    visible = await call.read(lambda q: q.projects.histories(projects, actor))
    for project_id in sorted(set(projects) - visible.keys()):
        log, created = api.logs.of(project_id), Selection(stream=project_stream(project_id))
        if not (actor.sees_all and log.read(0, 1, created)):
            raise project_not_found(project_id)


def _visible(api: Api, actor: Actor, record: Record, known: dict[str, SeenHistory | None]) -> bool:
    """Return whether *actor* may see *record* of a project; *known* remembers what they see of each."""
    if record.topic.startswith(TECHNICAL):
        return False
    history = _history(api, actor, known, record)
    return history is not None and history.includes(record.sequence)


def _history(
    api: Api, actor: Actor, known: dict[str, SeenHistory | None], record: Record
) -> SeenHistory | None:
    """Return what *actor* sees of the history of the project of *record*; None for nothing, and for none."""
    if project_of(record) is None:
        return None
    home = record.home
    if home not in known:
        known[home] = api.queries.projects.histories([home], actor).get(home)
    return known[home]


async def _page(call: Call, listed: _List, query: EventQuery, tip: Position) -> EventPage:
    """Return up to `query.limit` events that are shown, up to *tip*, in the order of the query.

    The number of records that one page reads is bounded; the next page continues from there.
    """
    read = await (_newest_first if query.newest_first else _oldest_first)(call, listed, query, tip)
    async with large_read(call) as budget:
        return await asyncio.to_thread(read, budget)


async def _oldest_first(
    call: Call, listed: _List, query: EventQuery, tip: Position
) -> Callable[[Budget | None], EventPage]:
    logs, token = call.api.logs, query.start
    start = START if token is None else await call.api.consistency.reached(token, query.start_name)

    def read(budget: Budget | None) -> EventPage:
        whole = range_of(logs, listed.bounds, start.sequences, tip.sequences)
        part = first_part(logs, whole) if needs_scan(listed.selection) else whole
        records = seen_parts.records(logs, part, listed.selection, listed.only, listed.history)
        page = scan_records(records, start, query.limit, listed.show, several=len(logs) > 1, budget=budget)
        if page.more:
            return page
        if part.upper == whole.upper:
            return EventPage(events=page.events, position=tip.join(page.position), more=False)
        reached = position_at(logs, part.upper)
        return EventPage(events=page.events, position=page.position.join(reached), more=True)

    return read


async def _newest_first(
    call: Call, listed: _List, query: EventQuery, tip: Position
) -> Callable[[Budget | None], EventPage]:
    logs, list_id = call.api.logs, event_cursors.list_identity(listed.wanted, listed.scope)
    before = None if query.start is None else await _before(call, list_id, query.start, query.start_name)

    def read(budget: Budget | None) -> EventPage:
        whole = range_of(logs, listed.bounds, {}, tip.sequences)
        if before is not None:
            upper = {n: min(last, before.get(n, 0) - 1) for n, last in whole.upper.items()}
            whole_left = Range(whole.lower, upper)
        else:
            whole_left = whole
        part = last_part(logs, whole_left) if needs_scan(listed.selection) else whole_left
        before_part = _Back(list_id=list_id, tip=tip, whole=whole_left, part=part)
        return _scan_back(logs, listed, before_part, query.limit, budget)

    return read


async def _before(call: Call, list_id: str, token: str, name: str) -> dict[int, int]:
    """Return the sequences below which a list continues; *token* is a cursor, or the position of an event."""
    before = event_cursors.decode(list_id, token)
    if before is not None:
        return before
    return event_cursors.before_position(call.api.logs, await call.api.consistency.reached(token, name))


def _scan_back(logs: Logs[Any], listed: _List, back: _Back, limit: int, budget: Budget | None) -> EventPage:
    """Return up to *limit* events, the newest first, each with the cursor of those after it."""
    left = {number: last + 1 for number, last in back.part.upper.items()}
    records = seen_parts.records_back(logs, back.part, listed.selection, listed.only, listed.history)
    events: list[RenderedEvent] = []
    cursors: list[str] = []
    size = read = 0
    for scanned, (log, record) in enumerate(records):
        if len(events) == limit or scanned == _SCANNED or size > PAGE_BYTES or read > _READ_BYTES:
            cursors.append(event_cursors.encode(back.list_id, left))
            return EventPage(events=events, position=back.tip, more=True, cursors=cursors)
        if budget is not None:
            budget.check()
            budget.read(len(record.data))
        read += len(record.data)
        left = {**left, log.number: record.sequence}
        event = listed.show(log, record)
        if event is not None:
            size += len(event.json)
            events.append(event)
            cursors.append(event_cursors.encode(back.list_id, left))
    more = back.part.lower != back.whole.lower
    if more:
        left = {number: last + 1 for number, last in back.part.lower.items()}
    cursors.append(event_cursors.encode(back.list_id, left))
    return EventPage(events=events, position=back.tip, more=more, cursors=cursors)


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
