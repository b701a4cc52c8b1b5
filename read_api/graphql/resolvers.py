"""How fields below the root load what the document of their parent does not hold."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import GraphQLResolveInfo

from domain.actor import Actor
from domain.file.paths import checked_path
from projections.queries.access import project_not_found
from projections.queries.page import Page, PageRequest
from projections.writes import Document
from read_api.contract.past import ask, past_answer
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


async def quotas_of(parent: Document, info: GraphQLResolveInfo) -> Document | None:
    """Resolve what an account owns and may own; None where it is not that of the sender."""
    context: Context = info.context
    return await context.loaders.quotas() if parent["id"] == context.actor.id else None


async def whole_file(context: Context, parent: Document) -> Document | None:
    """Load a file with its content, as it was where its parent is of the past."""
    project_id, path, actor = parent["projectId"], parent["path"], context.actor
    if AS_OF in parent:
        return await past_answer(
            context.call,
            project_id,
            parent[AS_OF],
            lambda q: q.files.get(project_id, path, actor),
            authored=True,
        )
    return await context.loaders.file(project_id, path)


async def whole_commit(context: Context, parent: Document) -> Document | None:
    """Load a commit with its changes, which are the same at every later moment."""
    return await context.loaders.commit(parent["projectId"], parent["sha"])


async def comments_of(context: Context, parent: Document) -> Document:
    """Load the comments on a review, as they were where the review is of the past."""
    if AS_OF in parent:
        return await review_at(context, parent["projectId"], parent["id"], parent[AS_OF])
    return await context.loaders.comments(parent["id"])


def project_of(parent: Document, info: GraphQLResolveInfo) -> Any:
    """Resolve the project that the parent belongs to, as it was where the parent is of the past."""
    project_id = parent.get("projectId")
    if project_id is not None and AS_OF in parent:
        return project_at(info.context, project_id, parent[AS_OF])
    return None if project_id is None else info.context.loaders.project(project_id)


async def insights_of(parent: Document, info: GraphQLResolveInfo) -> Document:
    """Resolve the insights of a project."""
    context: Context = info.context
    project_id = str(parent["id"])
    if AS_OF in parent:
        return await insights_at(context, project_id, parent[AS_OF])
    return await context.loaders.insights(project_id)


async def insights_at(context: Context, project_id: str, as_of: str) -> Document:
    """Return the insights of a project as they were; raises NotFoundError."""
    actor = context.actor
    return await past_answer(
        context.call,
        project_id,
        as_of,
        lambda q: q.insights.get(project_id, actor),
        authored=True,
        insights=True,
    )


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

_AUTHORED = frozenset({"files", "commits"})


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
    return await past_answer(
        context.call,
        project_id,
        project[AS_OF],
        lambda q: ask_page(q, project_id, page, path, actor),
        authored=kind in _AUTHORED,
    )


async def project_at(context: Context, project_id: str, as_of: str | None) -> Document:
    """Return a project, as it is now or as it was; raises NotFoundError."""
    if as_of is not None:
        actor = context.actor
        past = await past_answer(
            context.call, project_id, as_of, lambda q: q.projects.get(project_id, actor), authored=True
        )
        return {**past, AS_OF: as_of}
    project = await context.loaders.project(project_id)
    if project is None:
        raise project_not_found(project_id)
    return project


async def file_at(context: Context, project_id: str, path: str, as_of: str | None) -> Document:
    """Return a file with its content, as it is now or as it was; raises NotFoundError."""
    path, actor = checked_path(path), context.actor
    file = await ask(
        context.call, project_id, as_of, lambda q: q.files.get(project_id, path, actor), authored=True
    )
    return marked(file, project_id, as_of)


async def commit_at(context: Context, project_id: str, sha: str, as_of: str | None) -> Document:
    """Return a commit, which had been recorded by *as_of*; raises NotFoundError."""
    actor = context.actor
    commit = await ask(
        context.call, project_id, as_of, lambda q: q.commits.get(project_id, sha, actor), authored=True
    )
    return marked(commit, project_id, as_of)


async def review_at(context: Context, project_id: str, review_id: str, as_of: str | None) -> Document:
    """Return a review, as it is now or as it was; raises NotFoundError."""
    actor = context.actor
    review = await ask(context.call, project_id, as_of, lambda q: q.reviews.get(project_id, review_id, actor))
    return marked(review, project_id, as_of)


async def build_at(context: Context, project_id: str, build_id: str, as_of: str | None) -> Document:
    """Return a build, as it is now or as it was; raises NotFoundError."""
    actor = context.actor
    build = await ask(context.call, project_id, as_of, lambda q: q.builds.get(project_id, build_id, actor))
    return marked(build, project_id, as_of)


def marked(document: Document, project_id: str, as_of: str | None) -> Document:
    """Return *document* with its project and, where it is of the past, its moment."""
    marks = {"projectId": project_id} if as_of is None else {"projectId": project_id, AS_OF: as_of}
    return {**document, **marks}
