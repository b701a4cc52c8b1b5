"""`/events` and `/projects/{id}/history`: the event history itself."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from commands.log import EventLog, Selection
from commands.position import Position
from domain.actor import Actor
from domain.event import event_topics
from domain.file.paths import checked_path
from domain.identifiers import file_stream
from domain.record import Record
from read_api.api import Api
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.gateway.problems import BadInputError
from read_api.realtime.events import TECHNICAL, project_of, shown
from read_api.rest.lists import Limit
from read_api.rest.past import check_history
from read_api.rest.projects import PROJECT
from read_api.rest.views import EventPage

operation = Operations("History")

_SCANNED = 5_000
_CHUNK = 500

Token = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_-]+$")]
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


@operation("GET", "/api/v1/events", query=EventQuery, output=EventPage)
async def list_events(call: Call, query: EventQuery) -> Answer:
    """List events, oldest first: all for administrators and auditors, those of visible projects for others."""
    actor = call.actor
    await call.read(lambda _: None)
    known: dict[str, bool] = {}

    def allowed(record: Record) -> bool:
        return actor.sees_all or _visible(call.api, actor, record, known)

    selection = Selection(topics=_topics(query.type), stream=query.stream)
    return await _page(call, selection, query.after or query.cursor, query.limit, allowed)


@operation("GET", PROJECT + "/history", query=HistoryQuery, output=EventPage)
async def list_history(call: Call, query: HistoryQuery) -> Answer:
    """List a project's events, oldest first; with a path, those of that file."""
    project_id, actor = call.path["project_id"], call.actor
    await check_history(call, project_id)
    stream = None if query.path is None else file_stream(project_id, checked_path(query.path))
    selection = Selection(home=None if stream else project_id, topics=_topics(query.type), stream=stream)

    def allowed(record: Record) -> bool:
        return actor.sees_all or not record.topic.startswith(TECHNICAL)

    return await _page(call, selection, query.after or query.cursor, query.limit, allowed)


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
    call: Call, selection: Selection, token: str | None, limit: int, allowed: Callable[[Record], bool]
) -> Answer:
    """Answer with up to *limit* allowed events; how many are looked at is bounded, and the cursor goes on from there."""
    log = call.api.log
    start = Position() if token is None else await call.reached(token)
    tip = log.tip()
    scan = partial(_scan, log, start.sequence(), selection, limit, allowed)
    found, after, chain, more = await asyncio.to_thread(scan) if call.api.in_threads else scan()
    position = Position.at(after, chain) if chain else start
    if not more and after < tip.sequence:
        position = Position.at(tip.sequence, tip.chain)
    items = [msgspec.Raw(shown(log, record).json) for record in found]
    body = {
        "items": items,
        "nextCursor": position.token() if more else None,
        "position": position.token(),
    }
    headers = {"CodePark-Position": position.token(), "Cache-Control": "private, no-cache"}
    return Answer(body=msgspec.json.encode(body), headers=headers)


def _scan(
    log: EventLog, after: int, selection: Selection, limit: int, allowed: Callable[[Record], bool]
) -> tuple[list[Record], int, bytes, bool]:
    """Return allowed records, the sequence and chain of the last one looked at, and whether there may be more."""
    found: list[Record] = []
    scanned, chain, more = 0, b"", True
    while more and len(found) < limit and scanned < _SCANNED:
        records = log.read(after, _CHUNK, selection)
        more = len(records) == _CHUNK
        for record in records:
            after, chain = record.sequence, record.chain
            scanned += 1
            if allowed(record):
                found.append(record)
                if len(found) == limit:
                    more = more or record is not records[-1]
                    break
    return found, after, chain, more
