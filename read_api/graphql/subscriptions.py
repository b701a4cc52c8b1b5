"""The root fields that stay: events as they come, and a project whenever something in it has changed."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from projections.writes import Document
from read_api.gateway.call import Call
from read_api.graphql import types
from read_api.graphql.arguments import Arguments
from read_api.graphql.context import Context
from read_api.graphql.roots import Streams
from read_api.realtime import channels
from read_api.rest.projects import Word

subscription = Streams()

_Token = Annotated[str, Meta(min_length=1, max_length=1_200, pattern=r"^[A-Za-z0-9_-]+$")]
_Topic = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[a-z_.]+$")]


class _Events(Struct, frozen=True, kw_only=True, rename="camel"):
    projects: Annotated[tuple[Word, ...], Meta(max_length=100)] | None = None
    types: Annotated[tuple[_Topic, ...], Meta(max_length=50)] | None = None
    after: _Token | None = None


class _Changes(Struct, frozen=True, kw_only=True, rename="camel"):
    id: Word
    after: _Token | None = None


@subscription("events", types.Event, "events.read", Arguments(_Events))
async def events(context: Context, asked: _Events) -> AsyncIterator[Document]:
    """Follow events that you may see, those behind *after* first; each carries the position to resume from."""
    wanted = {"projects": asked.projects, "type": asked.types}
    query = {name: ",".join(values) for name, values in wanted.items() if values}
    return _decoded(await _batches(context, query, asked.after))


@subscription("project", types.Project, "project.read", Arguments(_Changes))
async def project(context: Context, asked: _Changes) -> AsyncIterator[Document]:
    """Follow a project: it comes once at the start, then whenever something in it has changed."""
    batches = await _batches(context, {"projects": asked.id}, asked.after)
    return _followed(context, asked.id, batches)


async def _batches(context: Context, query: dict[str, str], after: str | None) -> AsyncGenerator[Any, None]:
    """Return the live source behind *after*, else behind the present end."""
    wanted = {**query, "after": after} if after is not None else query
    call = Call(context.api, context.call.headers, {}, wanted, context.request_id)
    found = await channels.open_subscription(call, await channels.start_position(call, None))
    return found.batches()


async def _decoded(batches: AsyncGenerator[Any, None]) -> AsyncGenerator[Document, None]:
    try:
        async for batch in batches:
            for event in batch:
                yield msgspec.json.decode(event.json)
    finally:
        await batches.aclose()


async def _followed(
    context: Context, project_id: str, batches: AsyncGenerator[Any, None]
) -> AsyncGenerator[Document, None]:
    try:
        yield await _now(context, project_id, None)
        async for batch in batches:
            if batch:
                yield await _now(context, project_id, batch[-1].token)
    finally:
        await batches.aclose()


async def _now(context: Context, project_id: str, token: str | None) -> Document:
    """Return the project as it is behind *token*."""
    call = context.call_with(
        path={"project_id": project_id}, headers={} if token is None else {"codepark-after": token}
    )
    return await call.read(lambda q: q.projects.get(project_id, call.actor), project=project_id)
