"""The root fields that read."""

from typing import Any

import graphene
from msgspec import Struct

from domain.errors import InvalidError
from projections.queries.page import Page
from projections.writes import Document
from read_api.contract.accounts import account_named, list_accounts
from read_api.contract.business import BusinessQuery, business_figures
from read_api.contract.command_status import command_status
from read_api.contract.events import list_events, list_history
from read_api.contract.jobs import JobListQuery, job_named, list_jobs
from read_api.contract.parameters import AnyId, Handle, Moment, Path, Sha, Word
from read_api.contract.queries import (
    AccountListQuery,
    CommitListQuery,
    EventListQuery,
    FileListQuery,
    HistoryQuery,
    ListQuery,
    NotificationQuery,
    PastListQuery,
    ProjectListQuery,
)
from read_api.graphql import types
from read_api.graphql.arguments import Arguments
from read_api.graphql.connections import AFTER, by, connection, event_connection
from read_api.graphql.context import Context
from read_api.graphql.node import Node, find_node
from read_api.graphql.resolvers import (
    AS_OF,
    build_at,
    commit_at,
    file_at,
    insights_at,
    page_of,
    project_at,
    review_at,
)
from read_api.graphql.roots import NoArguments, Roots

query = Roots()


class _ById(Struct, frozen=True, kw_only=True, rename="camel"):
    id: AnyId


class _AccountBy(Struct, frozen=True, kw_only=True, rename="camel"):
    id: AnyId | None = None
    name: Handle | None = None


class _ProjectAt(_ById, frozen=True, kw_only=True, rename="camel"):
    as_of: Moment | None = None


class _OfProject(Struct, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _FileAt(_OfProject, frozen=True, kw_only=True, rename="camel"):
    path: Path
    as_of: Moment | None = None


class _CommitOf(_OfProject, frozen=True, kw_only=True, rename="camel"):
    sha: Sha
    as_of: Moment | None = None


class _PartOf(_OfProject, frozen=True, kw_only=True, rename="camel"):
    id: Word
    as_of: Moment | None = None


class _InsightsOf(_OfProject, frozen=True, kw_only=True, rename="camel"):
    as_of: Moment | None = None


class _Files(FileListQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _Commits(CommitListQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _Pages(PastListQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


class _History(HistoryQuery, frozen=True, kw_only=True, rename="camel"):
    project_id: Word


def _parent(arguments: _Files | _Commits | _Pages) -> Document:
    """Return the project of a list, marked with its moment where it is of the past."""
    parent: Document = {"id": arguments.project_id}
    return parent if arguments.as_of is None else {**parent, AS_OF: arguments.as_of}


def _paged(struct: type[Any]) -> Arguments[Any]:
    return Arguments(struct, without=("fields",), renamed=AFTER)


def _list(type_: Any) -> Any:
    return graphene.List(graphene.NonNull(type_))


@query(
    "projects",
    _list(types.Project),
    "project.read",
    Arguments(ProjectListQuery, without=("cursor", "fields")),
)
async def projects(context: Context, arguments: ProjectListQuery) -> list[Document]:
    """List the projects that you may see."""
    return (await _projects(context, arguments)).items


@query("projectsConnection", types.ProjectConnection, "project.read", _paged(ProjectListQuery))
async def projects_connection(context: Context, arguments: ProjectListQuery) -> Document:
    """List the projects that you may see, page by page."""
    page = await _projects(context, arguments)
    return connection(page, types.project_place(arguments.sort), after=arguments.cursor)


async def _projects(context: Context, arguments: ProjectListQuery) -> Page:
    wanted, actor = arguments.filter(), context.actor
    return await context.call.read_list(lambda q: q.projects.page(wanted, arguments.page(), actor))


@query("project", types.Project, "project.read", Arguments(_ProjectAt))
async def project(context: Context, arguments: _ProjectAt) -> Document:
    """Get a project, as it is now or as it was at a time or position."""
    return await project_at(context, arguments.id, arguments.as_of)


@query("account", types.Account, "account.read", Arguments(_AccountBy))
async def account(context: Context, arguments: _AccountBy) -> Document | None:
    """Get an account by its id, or by its handle: null where nobody has that name."""
    actor, id_, name = context.actor, arguments.id, arguments.name
    if name is not None and id_ is None:
        return await account_named(context.call, name)
    if id_ is None or name is not None:
        raise InvalidError("write an id or a name", pointer="/id")
    return await context.call.read(lambda q: q.accounts.get(id_, actor), account=id_)


@query("accounts", types.AccountConnection, "account.read", _paged(AccountListQuery))
async def accounts(context: Context, arguments: AccountListQuery) -> Document:
    """Find an account by its handle. Administrators list all, or search by the beginning of a name."""
    page = await list_accounts(context.call, arguments)
    return connection(page, by("createdAt"), after=arguments.cursor)


@query("me", types.Account, "account.read_own")
async def me(context: Context, _: NoArguments) -> Document:
    """Get your own account."""
    actor = context.call.caller.signed_in()
    return await context.call.read(lambda q: q.accounts.get(actor.id, actor), account=actor.id)


@query("files", types.FileConnection, "project.read", _paged(_Files))
async def files(context: Context, arguments: _Files) -> Document:
    """List a project's files, by path; with `path`, those whose path starts with it."""
    parent = _parent(arguments)
    return await page_of(context, parent, "files", arguments.page(), arguments.path)


@query("file", types.File, "project.read", Arguments(_FileAt))
async def file(context: Context, arguments: _FileAt) -> Document:
    """Get a file with its content, as it is now or as it was at a time or position."""
    return await file_at(context, arguments.project_id, arguments.path, arguments.as_of)


@query("commits", types.CommitConnection, "project.read", _paged(_Commits))
async def commits(context: Context, arguments: _Commits) -> Document:
    """List a project's commits, the newest first; with `path`, those that changed that file."""
    path = arguments.path or ""
    return await page_of(context, _parent(arguments), "commits", arguments.page(), path)


@query("commit", types.Commit, "project.read", Arguments(_CommitOf))
async def commit(context: Context, arguments: _CommitOf) -> Document:
    """Get a commit; with `asOf`, one that had been recorded by then."""
    return await commit_at(context, arguments.project_id, arguments.sha, arguments.as_of)


@query("reviews", types.ReviewConnection, "project.read", _paged(_Pages))
async def reviews(context: Context, arguments: _Pages) -> Document:
    """List a project's reviews, the newest first."""
    return await page_of(context, _parent(arguments), "reviews", arguments.page())


@query("review", types.Review, "project.read", Arguments(_PartOf))
async def review(context: Context, arguments: _PartOf) -> Document:
    """Get a review, as it is now or as it was at a time or position."""
    return await review_at(context, arguments.project_id, arguments.id, arguments.as_of)


@query("builds", types.BuildConnection, "project.read", _paged(_Pages))
async def builds(context: Context, arguments: _Pages) -> Document:
    """List a project's builds, the newest first."""
    return await page_of(context, _parent(arguments), "builds", arguments.page())


@query("build", types.Build, "project.read", Arguments(_PartOf))
async def build(context: Context, arguments: _PartOf) -> Document:
    """Get a build, as it is now or as it was at a time or position."""
    return await build_at(context, arguments.project_id, arguments.id, arguments.as_of)


@query("insights", types.Insights, "project.read", Arguments(_InsightsOf))
async def insights(context: Context, arguments: _InsightsOf) -> Document:
    """Get the measurements of a project's files, and suggestions for changes."""
    id_, actor = arguments.project_id, context.actor
    if arguments.as_of is not None:
        return await insights_at(context, id_, arguments.as_of)
    return await context.call.read(lambda q: q.insights.get(id_, actor), project=id_)


@query("notifications", types.NotificationConnection, "notifications.list", _paged(NotificationQuery))
async def notifications(context: Context, arguments: NotificationQuery) -> Document:
    """List your notifications, the newest first."""
    actor = context.call.caller.signed_in()
    page = await context.call.read(
        lambda q: q.inbox.notifications(arguments.page(), actor, unread=arguments.unread)
    )
    return connection(page, by("createdAt"), after=arguments.cursor)


@query("announcements", types.AnnouncementConnection, "announcement.read", _paged(ListQuery))
async def announcements(context: Context, arguments: ListQuery) -> Document:
    """List the announcements, the newest first."""
    page = await context.call.read(lambda q: q.inbox.announcements(arguments.page()))
    return connection(page, by("createdAt"), after=arguments.cursor)


@query("announcement", types.Announcement, "announcement.read", Arguments(_ById))
async def announcement(context: Context, arguments: _ById) -> Document:
    """Get an announcement."""
    return await context.call.read(lambda q: q.inbox.announcement(arguments.id))


@query("jobs", types.JobConnection, "jobs.read", _paged(JobListQuery))
async def jobs(context: Context, arguments: JobListQuery) -> Document:
    """List background jobs (administrators): those at work first, then what waits, then what ended."""
    page, skipped = await list_jobs(context.call, arguments)
    places = {job["id"]: skipped + number for number, job in enumerate(page.items, 1)}
    return connection(page, lambda job: (places[job["id"]], ""), after=arguments.cursor)


@query("job", types.Job, "jobs.read", Arguments(_ById))
async def job(context: Context, arguments: _ById) -> Document:
    """Get a background job (administrators)."""
    return await job_named(context.call, arguments.id)


@query("events", types.EventConnection, "events.read", types.events_after(EventListQuery))
async def events(context: Context, arguments: EventListQuery) -> Document:
    """List events: all for administrators and auditors, else those of visible projects."""
    return event_connection(await list_events(context.call, arguments), after=arguments.after)


@query("history", types.EventConnection, "events.read", types.events_after(_History, without=("projects",)))
async def history(context: Context, arguments: _History) -> Document:
    """List a project's events; with `path`, those of that file."""
    page = await list_history(context.call, arguments.project_id, arguments)
    return event_connection(page, after=arguments.after)


@query(
    "businessFigures",
    types.BusinessFigures,
    "business.read",
    Arguments(BusinessQuery, without=("fields",)),
)
async def figures(context: Context, arguments: BusinessQuery) -> Document:
    """Get how many people were active, and what they did, by day and month (administrators)."""
    return await business_figures(context.call, arguments)


@query("node", Node, "project.read", Arguments(_ById))
async def node(context: Context, arguments: _ById) -> Document | None:
    """Get an object by its id."""
    return await find_node(context, arguments.id)


@query("command", types.Command, "command.read", Arguments(_ById))
async def command(context: Context, arguments: _ById) -> Document:
    """Get the status of a command; it is `unknown` while the log does not have it."""
    return await command_status(context.call, arguments.id)
