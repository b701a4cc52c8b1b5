"""The root fields that read."""

from typing import Annotated, Any

import graphene
import msgspec
from msgspec import Meta, Struct

from projections.queries.page import Page
from projections.queries.projects import ProjectFilter
from projections.writes import Document
from read_api.contract.lists import ListQuery
from read_api.graphql import types
from read_api.graphql.arguments import Arguments
from read_api.graphql.connections import AFTER, by, connection
from read_api.graphql.context import Context
from read_api.graphql.history import EVENTS, events_page, history_page
from read_api.graphql.node import Node, find_node
from read_api.graphql.resolvers import file_at, page_of, project_at
from read_api.graphql.roots import Nothing, Roots
from read_api.rest.commands import get_command
from read_api.rest.commits import CommitListQuery
from read_api.rest.events import EventQuery, HistoryQuery
from read_api.rest.files import FileListQuery
from read_api.rest.inbox import NotificationQuery
from read_api.rest.projects import ProjectListQuery, Word

query = Roots()

_PATH = Annotated[str, Meta(min_length=1, max_length=1_024)]
_MOMENT = Annotated[str, Meta(min_length=1, max_length=1_200)]


class _ById(Struct, frozen=True, kw_only=True, rename="camel"):
    id: Annotated[str, Meta(min_length=1, max_length=2_000)]


class _ProjectAt(_ById, frozen=True, kw_only=True, rename="camel"):
    as_of: _MOMENT | None = None


class _OfProject(Struct, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _FileAt(_OfProject, frozen=True, kw_only=True, rename="camel"):
    path: _PATH
    as_of: _MOMENT | None = None


class _CommitOf(_OfProject, frozen=True, kw_only=True, rename="camel"):
    sha: Annotated[str, Meta(min_length=1, max_length=64)]


class _Within(_OfProject, frozen=True, kw_only=True, rename="camel"):
    id: Word


class _Files(FileListQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _Commits(CommitListQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _Pages(ListQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _History(HistoryQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


def _paged(kind: type[Any]) -> Arguments[Any]:
    return Arguments(kind, without=("fields",), renamed=AFTER)


def _list(made: Any) -> Any:
    return graphene.List(graphene.NonNull(made))


@query(
    "projects",
    _list(types.Project),
    "project.read",
    Arguments(ProjectListQuery, without=("cursor", "fields")),
)
async def projects(context: Context, asked: ProjectListQuery) -> list[Document]:
    """List the projects that you may see."""
    return (await _projects(context, asked)).items


@query("projectsConnection", types.ProjectConnection, "project.read", _paged(ProjectListQuery))
async def projects_connection(context: Context, asked: ProjectListQuery) -> Document:
    """List the projects that you may see, page by page."""
    page = await _projects(context, asked)
    return connection(page, types.project_cursor(asked.sort), after=asked.cursor)


async def _projects(context: Context, asked: ProjectListQuery) -> Page:
    wanted = ProjectFilter(
        owner=asked.owner, collaborator=asked.collaborator, search=asked.search, sort=asked.sort
    )
    actor = context.actor
    return await context.call.read_list(lambda q: q.projects.page(wanted, asked.page(), actor))


@query("project", types.Project, "project.read", Arguments(_ProjectAt))
async def project(context: Context, asked: _ProjectAt) -> Document:
    """Show a project, as it is or as it was at a time or a position."""
    return await project_at(context, asked.id, asked.as_of)


@query("account", types.Account, "account.read", Arguments(_ById))
async def account(context: Context, asked: _ById) -> Document:
    """Show an account."""
    return await context.call.read(lambda q: q.accounts.get(asked.id, context.actor))


@query("me", types.Account, "account.read_own")
async def me(context: Context, _: Nothing) -> Document:
    """Show your own account."""
    actor = context.call.signed_in()
    return await context.call.read(lambda q: q.accounts.get(actor.id, actor))


@query("files", types.FileConnection, "project.read", _paged(_Files))
async def files(context: Context, asked: _Files) -> Document:
    """List the files of a project, by path."""
    return await page_of(context, {"id": asked.project_id}, "files", asked.page(), asked.path)


@query("file", types.File, "project.read", Arguments(_FileAt))
async def file(context: Context, asked: _FileAt) -> Document:
    """Show a file, as it is or as it was at a time or a position."""
    return await file_at(context, asked.project_id, asked.path, asked.as_of)


@query("commits", types.CommitConnection, "project.read", _paged(_Commits))
async def commits(context: Context, asked: _Commits) -> Document:
    """List the commits of a project, the newest first."""
    return await page_of(context, {"id": asked.project_id}, "commits", asked.page(), asked.path or "")


@query("commit", types.Commit, "project.read", Arguments(_CommitOf))
async def commit(context: Context, asked: _CommitOf) -> Document:
    """Show a commit."""
    call = context.call_of(asked.project_id)
    found = await call.read(lambda q: q.commits.get(asked.project_id, asked.sha, call.actor))
    return {**found, "projectId": asked.project_id}


@query("reviews", types.ReviewConnection, "project.read", _paged(_Pages))
async def reviews(context: Context, asked: _Pages) -> Document:
    """List the reviews of a project, the newest first."""
    return await page_of(context, {"id": asked.project_id}, "reviews", asked.page())


@query("review", types.Review, "project.read", Arguments(_Within))
async def review(context: Context, asked: _Within) -> Document:
    """Show a review."""
    call = context.call_of(asked.project_id)
    return await call.read(lambda q: q.reviews.get(asked.project_id, asked.id, call.actor))


@query("builds", types.BuildConnection, "project.read", _paged(_Pages))
async def builds(context: Context, asked: _Pages) -> Document:
    """List the builds of a project, the newest first."""
    return await page_of(context, {"id": asked.project_id}, "builds", asked.page())


@query("build", types.Build, "project.read", Arguments(_Within))
async def build(context: Context, asked: _Within) -> Document:
    """Show a build."""
    call = context.call_of(asked.project_id)
    return await call.read(lambda q: q.builds.get(asked.project_id, asked.id, call.actor))


@query("insights", types.Insights, "project.read", Arguments(_OfProject))
async def insights(context: Context, asked: _OfProject) -> Document:
    """Show what was measured of a project's files, and what to change."""
    call, id_ = context.call_of(asked.project_id), asked.project_id
    return await call.read(lambda q: q.insights.get(id_, call.actor), project=id_)


@query("notifications", types.NotificationConnection, "notifications.list", _paged(NotificationQuery))
async def notifications(context: Context, asked: NotificationQuery) -> Document:
    """List what you are told, the newest first."""
    actor = context.call.signed_in()
    page = await context.call.read(lambda q: q.inbox.notifications(asked.page(), actor, unread=asked.unread))
    return connection(page, by("createdAt"), after=asked.cursor)


@query("announcements", types.AnnouncementConnection, "announcement.read", _paged(ListQuery))
async def announcements(context: Context, asked: ListQuery) -> Document:
    """List the announcements, the newest first."""
    page = await context.call.read(lambda q: q.inbox.announcements(asked.page()))
    return connection(page, by("createdAt"), after=asked.cursor)


@query("announcement", types.Announcement, "announcement.read", Arguments(_ById))
async def announcement(context: Context, asked: _ById) -> Document:
    """Show an announcement."""
    return await context.call.read(lambda q: q.inbox.announcement(asked.id))


@query("events", types.EventConnection, "events.read", EVENTS)
async def events(context: Context, asked: EventQuery) -> Document:
    """List events, oldest first: all for administrators and auditors, those of visible projects for others."""
    return await events_page(context, asked)


@query(
    "history",
    types.EventConnection,
    "events.read",
    Arguments(_History, without=("cursor",), renamed={"limit": "first"}),
)
async def history(context: Context, asked: _History) -> Document:
    """List a project's events, oldest first; with a path, those of that file."""
    return await history_page(context, asked.project_id, asked)


@query("node", Node, "project.read", Arguments(_ById))
async def node(context: Context, asked: _ById) -> Document | None:
    """Find an object by its id."""
    return await find_node(context, asked.id)


@query("command", types.Command, "command.read", Arguments(_ById))
async def command(context: Context, asked: _ById) -> Document:
    """Tell what became of a command; `unknown` while the log does not have it."""
    answer = await get_command(context.call_with(path={"command_id": asked.id}))
    found: Document = msgspec.json.decode(answer.body)
    return found
