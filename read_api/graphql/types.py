"""The object types of the schema: the contract's views, with fields that lead from one to another."""

from typing import Any

import graphene
from graphene_federation import key
from msgspec import Struct
from msgspec.structs import replace

from projections.writes import Document
from read_api.contract import business, insight_views, quota_views, views
from read_api.contract.events import list_history
from read_api.contract.jobs import JobView
from read_api.contract.queries import CommitListQuery, FileListQuery, HistoryQuery, ListQuery
from read_api.graphql import resolvers
from read_api.graphql.arguments import Arguments
from read_api.graphql.connections import AFTER, connection_of, event_connection
from read_api.graphql.context import Context
from read_api.graphql.node import Node, global_id
from read_api.graphql.resolvers import account_at, lazily, page_of, project_of
from read_api.graphql.scalars import JSON
from read_api.graphql.struct_types import TypeOf, output_fields, summary

_type_of: dict[type[Any], Any] = {}
TYPE_OF: TypeOf = _type_of
_NOT_IN_CONNECTIONS = ("fields", "asOf")


def _type(
    type_name: str, view: type[Struct], about: str | None = None, /, *, entity: bool = False, **fields: Any
) -> Any:
    """Make the object type of *view*; *fields* are added to its own, or replace them."""
    interfaces = (Node,) if entity else ()
    meta = {"name": type_name, "description": about or summary(view), "interfaces": interfaces}
    all_fields = {**output_fields(view, TYPE_OF), **fields}
    for field in all_fields.values():
        field.reset_counter()  # graphene shows fields in the order in which they were made
    type_ = type(type_name, (graphene.ObjectType,), {"Meta": type("Meta", (), meta), **all_fields})
    _type_of[view] = lambda: type_
    return key("id")(type_) if entity else type_


def _loaded(field: str, load: resolvers.Load, type_: Any) -> graphene.Field:
    return graphene.Field(type_, resolver=lazily(field, load))


def _person(field: str) -> graphene.Field:
    return graphene.Field(lambda: Account, required=True, resolver=account_at(field))


def _project() -> graphene.Field:
    about = "The project that it belongs to; null where you may not see it."
    return graphene.Field(lambda: Project, resolver=project_of, description=about)


def _list(type_: Any) -> Any:
    return graphene.List(graphene.NonNull(type_))


def _whole(view: type[Struct], field: str, load: resolvers.Load) -> graphene.Field:
    """Return the field of *view* as one that is loaded where a parent from a list lacks it."""
    declared = output_fields(view, TYPE_OF)[field].type
    type_ = declared.of_type if isinstance(declared, graphene.NonNull) else declared
    return graphene.Field(type_, resolver=lazily(field, load))


_type(
    "Quota",
    quota_views.QuotaView,
    used=graphene.Field(
        graphene.Float, required=True, description="A whole number, which may be too large for Int."
    ),
    limit=graphene.Field(graphene.Float, description="A whole number; null where there is no limit."),
)
Quotas = _type("Quotas", quota_views.QuotasView)
_account = {
    field: _whole(views.AccountView, field, resolvers.whole_account)
    for field in ("createdAt", "version", "email", "emailVerified", "roles", "tier", "updatedAt")
}
Account = _type(
    "Account",
    views.AccountView,
    entity=True,
    quotas=graphene.Field(
        Quotas,
        resolver=resolvers.quotas_of,
        description="What the account owns and may own; null for accounts of others.",
    ),
    **_account | {"name": graphene.String(required=True, resolver=lazily("name", resolvers.whole_account))},
)
_type_of[views.Person] = lambda: Account


def _project_type() -> Any:
    """Return the type of projects, which is defined below."""
    return Project


_type_of[views.ProjectReference] = _project_type

Collaborator = _type("Collaborator", views.Collaborator, account=_person("id"))
AiInsights = _type("AiInsights", views.AiInsights)
Suggestion = _type("Suggestion", insight_views.SuggestionView)
LeftOutFile = _type("LeftOutFile", insight_views.LeftOutFile)
Insights = _type("Insights", insight_views.InsightsView)
BusinessDay = _type("BusinessDay", business.BusinessDay)
BusinessMonth = _type("BusinessMonth", business.BusinessMonth)
BusinessFigures = _type("BusinessFigures", business.BusinessView)

File = _type(
    "File",
    views.FileView,
    entity=True,
    id=graphene.ID(
        required=True,
        resolver=lambda file, _: global_id("File", f"{file['projectId']}/{file['path']}"),
    ),
    projectId=graphene.ID(required=True),
    **{
        field: _whole(views.FileView, field, resolvers.whole_file)
        for field in ("content", "encoding", "updatedAt", "language")
    },
)
CommitAuthor = _type("CommitAuthor", views.CommitAuthor)
Change = _type("Change", views.ChangeView)
Commit = _type(
    "Commit",
    views.CommitView,
    entity=True,
    id=graphene.ID(
        required=True,
        resolver=lambda commit, _: global_id("Commit", f"{commit['projectId']}/{commit['sha']}"),
    ),
    projectId=graphene.ID(required=True),
    **{field: _whole(views.CommitView, field, resolvers.whole_commit) for field in ("changes", "recordedAt")},
)
Decision = _type("ReviewDecision", views.DecisionView, reviewer=_person("reviewerId"))
Comment = _type("Comment", views.CommentView)
Review = _type(
    "Review",
    views.ReviewView,
    entity=True,
    project=_project(),
    comments=_loaded("comments", resolvers.comments_of, _list(Comment)),
    commentsTruncated=_loaded("commentsTruncated", resolvers.comments_of, graphene.Boolean),
)
Build = _type("Build", views.BuildView, entity=True, project=_project())
Notification = _type("Notification", views.NotificationView, project=_project(), actor=_person("actorId"))
Announcement = _type("Announcement", views.AnnouncementView, entity=True, author=_person("authorId"))
Event = _type("Event", views.EventView, project=_project())
Command = _type("Command", views.CommandView)
Preference = _type("Preference", views.PreferenceView)
Preferences = _type("Preferences", views.PreferencesView)
Job = _type("Job", JobView, data=graphene.Field(JSON, required=True))

AccountConnection = connection_of(Account)
FileConnection = connection_of(File)
CommitConnection = connection_of(Commit)
ReviewConnection = connection_of(Review)
BuildConnection = connection_of(Build)
NotificationConnection = connection_of(Notification)
AnnouncementConnection = connection_of(Announcement)
JobConnection = connection_of(Job)
EventConnection = connection_of(
    Event,
    position=graphene.String(required=True, description="The position after the last event that was read."),
)


def events_after(struct: type[Any], *, without: tuple[str, ...] = ()) -> Arguments[Any]:
    """Return the arguments of a list of events, whose cursors are positions."""
    return Arguments(struct, without=("cursor", *without), renamed={"limit": "first"})


FILES = Arguments(FileListQuery, without=_NOT_IN_CONNECTIONS, renamed=AFTER)
COMMITS = Arguments(CommitListQuery, without=_NOT_IN_CONNECTIONS, renamed=AFTER)
PAGE: Arguments[ListQuery] = Arguments(ListQuery, without=_NOT_IN_CONNECTIONS, renamed=AFTER)
HISTORY = events_after(HistoryQuery, without=("projects", "asOf"))


def _below(kind: str, arguments: Arguments[Any], type_: Any, about: str) -> graphene.Field:
    """Return the field of a project that is a list with its own pages."""

    def resolve(parent: Document, info: Any, **given: Any) -> Any:
        query = arguments.read(given)
        path = getattr(query, "path", None) or ""
        return page_of(info.context, parent, kind, query.page(), path)

    return graphene.Field(type_, required=True, args=arguments.declared, resolver=resolve, description=about)


async def _history(parent: Document, info: Any, **given: Any) -> Document:
    context: Context = info.context
    context.permit("events.read")
    arguments = replace(HISTORY.read(given), as_of=parent.get(resolvers.AS_OF))
    return event_connection(await list_history(context.call, parent["id"], arguments), after=arguments.after)


Project: Any = _type(
    "Project",
    views.ListedProject,
    "A project.",
    entity=True,
    files=_below("files", FILES, FileConnection, "Its files, by path."),
    commits=_below("commits", COMMITS, CommitConnection, "Its commits, the newest first."),
    reviews=_below("reviews", PAGE, ReviewConnection, "Its reviews, the newest first."),
    builds=_below("builds", PAGE, BuildConnection, "Its builds, the newest first."),
    insights=graphene.Field(
        Insights, required=True, resolver=resolvers.insights_of, description="The measurements of its files."
    ),
    history=graphene.Field(
        EventConnection,
        required=True,
        args=HISTORY.declared,
        resolver=_history,
        description="Its events.",
    ),
)
ProjectConnection = connection_of(Project)


def project_place(sort: str) -> Any:
    """Return where a project is in a list with the order *sort*."""
    field = sort.removeprefix("-")
    return lambda item: (item[field], item["id"])
