"""How the fields below the root find what their parent does not hold."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import GraphQLResolveInfo

from domain.file.paths import checked_path
from projections.queries.access import project_not_found
from projections.queries.page import Page, PageRequest, encode_cursor
from projections.writes import Document
from read_api.contract.past import asked_past
from read_api.gateway.call import Call
from read_api.graphql.connections import CursorOf, by, connection
from read_api.graphql.context import Context
from read_api.graphql.fast_path import STANDS
from read_api.query_services import Queries

AS_OF = "asOf"
"""In a document of the past: at which moment. What is below it is of the same moment."""

Load = Callable[[Context, Document], Awaitable[Document | None]]
AskPage = Callable[[Queries, str, PageRequest, str], Page]


def lazily(field: str, load: Load) -> Callable[..., Any]:
    """Return the resolver of a field that a parent from a list lacks: *load* finds the whole document."""

    def resolve(parent: Document, info: GraphQLResolveInfo) -> Any:
        return parent[field] if field in parent else later(info.context, parent)

    setattr(resolve, STANDS, field)

    async def later(context: Context, parent: Document) -> Any:
        found = await load(context, parent)
        return None if found is None else found.get(field)

    return resolve


def account_at(field: str) -> Callable[..., Any]:
    """Return the resolver of the account whose id is in *field*."""
    return lambda parent, _: {"id": parent[field]}


async def whole_account(context: Context, parent: Document) -> Document | None:
    """Load an account; services and accounts that are gone have no more than their id."""
    id_: str = parent["id"]
    found = None if ":" in id_ else await context.loaders.account(id_)
    return found or {"name": id_}


async def whole_file(context: Context, parent: Document) -> Document | None:
    """Load a file with its content, as it was where its parent is of the past."""
    project_id, path = parent["projectId"], parent["path"]
    if AS_OF in parent:
        return await past_file(context, project_id, path, parent[AS_OF])
    return await context.loaders.file(project_id, path)


async def past_file(context: Context, project_id: str, path: str, as_of: str) -> Document:
    """Return a file as it was; raises NotFoundError."""
    call = context.call_of(project_id)
    return await asked_past(
        call, project_id, as_of, f"file:{path}", lambda q: q.files.get(project_id, path, call.actor)
    )


async def whole_commit(context: Context, parent: Document) -> Document | None:
    """Load a commit with its changes; what has happened stays the same."""
    return await context.loaders.commit(parent["projectId"], parent["sha"])


async def comments_of(context: Context, parent: Document) -> Document:
    """Load the comments on a review."""
    return {"comments": await context.loaders.comments(parent["id"])}


def project_of(parent: Document, info: GraphQLResolveInfo) -> Any:
    """Resolve the project that something belongs to."""
    project_id = parent.get("projectId")
    return None if project_id is None else info.context.loaders.project(project_id)


async def insights_of(parent: Document, info: GraphQLResolveInfo) -> Document:
    """Resolve the insights of a project."""
    context: Context = info.context
    project_id: str = parent["id"]
    if AS_OF in parent:
        return await _past(
            context, parent, "insights", lambda q, call: q.insights.get(project_id, call.actor)
        )
    return await context.loaders.insights(project_id)


_PAGES: dict[str, tuple[Callable[[Queries, str, PageRequest, str, Call], Page], CursorOf]] = {
    "files": (
        lambda q, id_, page, path, call: q.files.page(id_, path, page, call.actor),
        lambda item: encode_cursor(item["path"], f"{item['projectId']}/{item['path']}"),
    ),
    "commits": (
        lambda q, id_, page, path, call: q.commits.page(id_, path or None, page, call.actor),
        lambda item: encode_cursor(item["version"], f"{item['projectId']}/{item['sha']}"),
    ),
    "reviews": (lambda q, id_, page, _, call: q.reviews.page(id_, page, call.actor), by("createdAt")),
    "builds": (lambda q, id_, page, _, call: q.builds.page(id_, page, call.actor), by("createdAt")),
}


async def page_of(
    context: Context, parent: Document, kind: str, page: PageRequest, path: str = ""
) -> Document:
    """Return the connection of a page of what a project has of *kind*; raises NotFoundError."""
    project_id: str = parent["id"]
    ask, cursor_of = _PAGES[kind]
    marks: Document = {"projectId": project_id}
    if AS_OF in parent:
        marks[AS_OF] = parent[AS_OF]
        name = f"{kind}:{page.limit}:{page.cursor}:{path}"
        raw = await _past(
            context, parent, name, lambda q, call: _as_document(ask(q, project_id, page, path, call))
        )
        found = Page(items=raw["items"], next_cursor=raw["nextCursor"])
    else:
        found = await context.loaders.page(project_id, kind, page, path)
    marked = Page(items=[{**item, **marks} for item in found.items], next_cursor=found.next_cursor)
    return connection(marked, cursor_of, after=page.cursor)


def _as_document(page: Page) -> Document:
    return {"items": page.items, "nextCursor": page.next_cursor}


async def _past(
    context: Context, parent: Document, name: str, ask: Callable[[Queries, Call], Document]
) -> Document:
    call = context.call_of(parent["id"])
    return await asked_past(call, parent["id"], parent[AS_OF], name, lambda q: ask(q, call))


async def project_at(context: Context, project_id: str, as_of: str | None) -> Document:
    """Return a project, as it is or as it was; raises NotFoundError."""
    if as_of is None:
        found = await context.loaders.project(project_id)
        if found is None:
            raise project_not_found(project_id)
        return found
    call = context.call_of(project_id)
    past = await asked_past(
        call, project_id, as_of, "project", lambda q: q.projects.get(project_id, call.actor)
    )
    return {**past, AS_OF: as_of}


async def file_at(context: Context, project_id: str, path: str, as_of: str | None) -> Document:
    """Return a file with its content, as it is or as it was; raises NotFoundError."""
    path = checked_path(path)
    if as_of is not None:
        found = await past_file(context, project_id, path, as_of)
        return {**found, "projectId": project_id, AS_OF: as_of}
    call = context.call_of(project_id)
    found = await call.read(lambda q: q.files.get(project_id, path, call.actor))
    return {**found, "projectId": project_id}
