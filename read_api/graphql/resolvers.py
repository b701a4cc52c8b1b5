"""How fields below the root load what the document of their parent does not hold."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import GraphQLResolveInfo

from domain.actor import Actor
from domain.file.paths import checked_path
from projections.queries.access import project_not_found
from projections.queries.page import Page, PageRequest
from projections.writes import Document
from read_api.contract.past import past_answer, past_file, past_project
from read_api.graphql.connections import PlaceOf, by, connection
from read_api.graphql.context import Context
from read_api.graphql.fast_path import DOCUMENT_KEY
from read_api.query_services import Queries

AS_OF = "asOf"
"""The key under which a document of the past has its moment; what is below it is of the same moment."""

Load = Callable[[Context, Document], Awaitable[Document | None]]


def lazily(field: str, load: Load) -> Callable[..., Any]:
    """Return the resolver of a field that a parent from a list lacks: *load* returns the whole document."""

    def resolve(parent: Document, info: GraphQLResolveInfo) -> Any:
        return parent[field] if field in parent else from_whole(info.context, parent)

    setattr(resolve, DOCUMENT_KEY, field)

    async def from_whole(context: Context, parent: Document) -> Any:
        document = await load(context, parent)
        return None if document is None else document.get(field)

    return resolve


def account_at(field: str) -> Callable[..., Any]:
    """Return the resolver of the account whose id is in *field*."""
    return lambda parent, _: {"id": parent[field]}


async def whole_account(context: Context, parent: Document) -> Document | None:
    """Load an account; services and erased accounts have only their id, which is their name too."""
    id_: str = parent["id"]
    account = None if ":" in id_ else await context.loaders.account(id_)
    return account or {"name": id_}


async def whole_file(context: Context, parent: Document) -> Document | None:
    """Load a file with its content, as it was where its parent is of the past."""
    project_id, path = parent["projectId"], parent["path"]
    if AS_OF in parent:
        return await past_file(context.call, project_id, path, parent[AS_OF])
    return await context.loaders.file(project_id, path)


async def whole_commit(context: Context, parent: Document) -> Document | None:
    """Load a commit with its changes, which are the same at every later moment."""
    return await context.loaders.commit(parent["projectId"], parent["sha"])


async def comments_of(context: Context, parent: Document) -> Document:
    """Load the comments on a review."""
    return {"comments": await context.loaders.comments(parent["id"])}


def project_of(parent: Document, info: GraphQLResolveInfo) -> Any:
    """Resolve the project that the parent belongs to."""
    project_id = parent.get("projectId")
    return None if project_id is None else info.context.loaders.project(project_id)


async def insights_of(parent: Document, info: GraphQLResolveInfo) -> Document:
    """Resolve the insights of a project."""
    context: Context = info.context
    project_id, actor = str(parent["id"]), context.actor
    if AS_OF in parent:
        return await past_answer(
            context.call,
            project_id,
            parent[AS_OF],
            "insights",
            lambda q: q.insights.get(project_id, actor),
        )
    return await context.loaders.insights(project_id)


AskPage = Callable[[Queries, str, PageRequest, str, Actor], Page]

_PAGES: dict[str, tuple[AskPage, PlaceOf]] = {
    "files": (
        lambda q, id_, page, path, actor: q.files.page(id_, path, page, actor),
        lambda file: (file["path"], f"{file['projectId']}/{file['path']}"),
    ),
    "commits": (
        lambda q, id_, page, path, actor: q.commits.page(id_, path or None, page, actor),
        lambda commit: (commit["version"], f"{commit['projectId']}/{commit['sha']}"),
    ),
    "reviews": (lambda q, id_, page, _, actor: q.reviews.page(id_, page, actor), by("createdAt")),
    "builds": (lambda q, id_, page, _, actor: q.builds.page(id_, page, actor), by("createdAt")),
}
"""By the kind of a project's parts: how a page of them is read, and where one is in their list."""


async def page_of(
    context: Context, project: Document, kind: str, page: PageRequest, path: str = ""
) -> Document:
    """Return a page of a project's files, commits, reviews or builds; raises NotFoundError."""
    project_id: str = project["id"]
    place_of = _PAGES[kind][1]
    marks: Document = {"projectId": project_id}
    if AS_OF in project:
        marks[AS_OF] = project[AS_OF]
        loaded = await _past_page(context, project, kind, page, path)
    else:
        loaded = await context.loaders.page(project_id, kind, page, path)
    marked = loaded.with_items([{**item, **marks} for item in loaded.items])
    return connection(marked, place_of, after=page.cursor)


async def _past_page(context: Context, project: Document, kind: str, page: PageRequest, path: str) -> Page:
    project_id, actor = project["id"], context.actor
    ask_page = _PAGES[kind][0]

    def ask(queries: Queries) -> Document:
        read = ask_page(queries, project_id, page, path, actor)
        return {"items": read.items, "nextCursor": read.next_cursor, "listId": read.list_id}

    name = f"{kind}:{page.limit}:{page.cursor}:{path}"
    document = await past_answer(context.call, project_id, project[AS_OF], name, ask)
    return Page(items=document["items"], next_cursor=document["nextCursor"], list_id=document["listId"])


async def project_at(context: Context, project_id: str, as_of: str | None) -> Document:
    """Return a project, as it is now or as it was; raises NotFoundError."""
    if as_of is not None:
        return {**await past_project(context.call, project_id, as_of), AS_OF: as_of}
    project = await context.loaders.project(project_id)
    if project is None:
        raise project_not_found(project_id)
    return project


async def file_at(context: Context, project_id: str, path: str, as_of: str | None) -> Document:
    """Return a file with its content, as it is now or as it was; raises NotFoundError."""
    path, actor = checked_path(path), context.actor
    if as_of is not None:
        file = await past_file(context.call, project_id, path, as_of)
        return {**file, "projectId": project_id, AS_OF: as_of}
    file = await context.call.read(lambda q: q.files.get(project_id, path, actor), project=project_id)
    return {**file, "projectId": project_id}
