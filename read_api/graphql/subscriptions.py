"""The root fields of subscriptions: events as they happen, and a project whenever it has changed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from jobs.job import JobState
from projections.writes import Document
from read_api.contract.event_filter import EventFilter, event_filter
from read_api.contract.jobs import job_named
from read_api.contract.parameters import AnyId, Time, Token, Topic, Topics, Word, Words
from read_api.contract.parameters import Streams as StreamNames
from read_api.graphql import types
from read_api.graphql.arguments import Arguments
from read_api.graphql.context import Context
from read_api.graphql.roots import Streams
from read_api.realtime import channels
from read_api.realtime.frames import sending
from read_api.realtime.hub import Hub

subscription = Streams()

_ENDED = (JobState.COMPLETED, JobState.FAILED)
_LOOK_SECONDS = 0.25
"""Between two looks at a job that somebody follows."""


class _Events(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    projects: Annotated[tuple[Word, ...], Meta(max_length=100)] | None = None
    types: Annotated[tuple[Topic, ...], Meta(max_length=50)] | None = None
    type: Topics | None = None
    stream: StreamNames | None = None
    actor: Words | None = None
    from_: Time | None = None
    until: Time | None = None
    after: Token | None = None


class _Changes(Struct, frozen=True, kw_only=True, rename="camel"):
    id: Word
    after: Token | None = None


class _Job(Struct, frozen=True, kw_only=True, rename="camel"):
    id: AnyId


@subscription("events", types.Event, "events.read", Arguments(_Events))
async def events(context: Context, arguments: _Events) -> AsyncIterator[Document]:
    """Follow the events that you may see, those after `after` first; each has the position to resume from."""
    types = (
        (*(arguments.types or ()), *(arguments.type or "").split(",")) if arguments.type else arguments.types
    )
    wanted = event_filter(
        types=types or None,
        streams=arguments.stream,
        projects=arguments.projects or None,
        actors=arguments.actor,
        since=arguments.from_,
        until=arguments.until,
    )
    batches = await _batches(context, arguments.after, wanted)
    return decoded(batches, context.call.caller.is_still_authorized, context.api.hub)


@subscription("project", types.Project, "project.read", Arguments(_Changes))
async def project(context: Context, arguments: _Changes) -> AsyncIterator[Document]:
    """Follow a project: it is sent once at the start, then whenever something in it has changed."""
    batches = await _batches(context, arguments.after, event_filter(projects=arguments.id))
    return _followed(context, arguments.id, batches)


@subscription("jobProgress", types.Job, "jobs.read", Arguments(_Job))
async def job_progress(context: Context, arguments: _Job) -> AsyncIterator[Document]:
    """Follow a background job until it has ended (administrators): it is sent whenever it has changed."""
    first = await job_named(context.call, arguments.id)
    return _changes_of_job(context, first)


async def _changes_of_job(context: Context, job: Document) -> AsyncGenerator[Document, None]:
    """Yield a job whenever it has changed; end with its last state, or where the sender's rights did."""
    yield job
    while job["status"] not in _ENDED:
        await asyncio.sleep(_LOOK_SECONDS)
        if not context.call.caller.is_still_authorized():
            return
        now = await job_named(context.call, job["id"])
        if now != job:
            yield now
        job = now


async def _batches(context: Context, after: str | None, wanted: EventFilter) -> AsyncGenerator[Any, None]:
    """Return the events after the position *after*, by default those from now on, as they arrive."""
    position = await channels.start_position(context.call, after, wanted)
    subscribed = await channels.open_subscription(context.call, position, wanted)
    return subscribed.batches()


async def decoded(
    batches: AsyncGenerator[Any, None], is_authorized: Callable[[], bool], hub: Hub
) -> AsyncGenerator[Document, None]:
    """Yield the events of *batches*; end where the sender, whose rights chose them, has others by now."""
    try:
        async for batch in batches:
            for event in batch:
                if not is_authorized():
                    return
                with sending(hub, "graphql", (event,)):
                    yield msgspec.json.decode(event.json)
    finally:
        await batches.aclose()


async def _followed(
    context: Context, project_id: str, batches: AsyncGenerator[Any, None]
) -> AsyncGenerator[Document, None]:
    try:
        yield await _project_at(context, project_id, None)
        async for batch in batches:
            if batch:
                yield await _project_at(context, project_id, batch[-1].token)
    finally:
        await batches.aclose()


async def _project_at(context: Context, project_id: str, token: str | None) -> Document:
    """Return the project in a state that includes the position *token*."""
    now = context.renewed(token)  # the sender's rights may have changed
    actor = now.actor
    return await now.call.read(lambda q: q.projects.get(project_id, actor), project=project_id)
