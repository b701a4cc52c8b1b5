"""The object types of the schema: the views of the REST contract, and the ways from one to the other."""

from typing import Any

import graphene
from graphene_federation import key
from msgspec import Struct

from projections.queries.page import encode_cursor
from projections.writes import Document
from read_api.contract import views
from read_api.contract.lists import ListQuery
from read_api.graphql import resolvers
from read_api.graphql.arguments import Arguments
from read_api.graphql.connections import AFTER, connection_of
from read_api.graphql.history import HISTORY, history_page
from read_api.graphql.node import Node, global_id
from read_api.graphql.resolvers import account_at, lazily, page_of, project_of
from read_api.graphql.struct_types import Names, output_fields, summary
from read_api.rest.commits import CommitListQuery
from read_api.rest.files import FileListQuery

_names: dict[type[Any], Any] = {}
NAMES: Names = _names
_EVERY = ("fields",)


def _type(
    type_name: str, view: type[Struct], about: str | None = None, /, *, entity: bool = False, **fields: Any
) -> Any:
    """Make the object type of *view*; *fields* come on top of its own, or in their place."""
    interfaces = (Node,) if entity else ()
    meta = {"name": type_name, "description": about or summary(view), "interfaces": interfaces}
    found = {**output_fields(view, NAMES), **fields}
    for field in found.values():
        field.reset_counter()  # graphene shows fields in the order in which they were made
    made = type(type_name, (graphene.ObjectType,), {"Meta": type("Meta", (), meta), **found})
    _names[view] = lambda: made
    return key("id")(made) if entity else made


def _late(field: str, load: resolvers.Load, of: Any) -> graphene.Field:
    return graphene.Field(of, resolver=lazily(field, load))


def _person(field: str) -> graphene.Field:
    return graphene.Field(lambda: Account, required=True, resolver=account_at(field))


def _project() -> graphene.Field:
    about = "The project that it belongs to, where you may see it."
    return graphene.Field(lambda: Project, resolver=project_of, description=about)


def _list(made: Any) -> Any:
    return graphene.List(graphene.NonNull(made))


def _whole(view: type[Struct], field: str, load: resolvers.Load) -> graphene.Field:
    """Return the field of *view* as one that is loaded where a parent from a list lacks it."""
    plain = output_fields(view, NAMES)[field].type
    made = plain.of_type if isinstance(plain, graphene.NonNull) else plain
    return graphene.Field(made, resolver=lazily(field, load))


_account = {
    field: _whole(views.AccountView, field, resolvers.whole_account)
    for field in ("createdAt", "version", "email", "roles", "tier", "updatedAt")
}
Account = _type(
    "Account",
    views.AccountView,
    entity=True,
    **_account | {"name": graphene.String(required=True, resolver=lazily("name", resolvers.whole_account))},
)
_names[views.Person] = lambda: Account

Collaborator = _type("Collaborator", views.Collaborator, account=_person("id"))
AiInsights = _type("AiInsights", views.AiInsights)
Suggestion = _type("Suggestion", views.SuggestionView)
Insights = _type("Insights", views.InsightsView)

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
    comments=_late("comments", resolvers.comments_of, _list(Comment)),
)
Build = _type("Build", views.BuildView, entity=True, project=_project())
Notification = _type("Notification", views.NotificationView, project=_project(), actor=_person("actorId"))
Announcement = _type("Announcement", views.AnnouncementView, entity=True, author=_person("authorId"))
Event = _type("Event", views.EventView, project=_project())
Command = _type("Command", views.CommandView)

FileConnection = connection_of(File)
CommitConnection = connection_of(Commit)
ReviewConnection = connection_of(Review)
BuildConnection = connection_of(Build)
NotificationConnection = connection_of(Notification)
AnnouncementConnection = connection_of(Announcement)
EventConnection = connection_of(
    Event,
    position=graphene.String(required=True, description="Behind the last event that was looked at."),
)

FILES = Arguments(FileListQuery, without=_EVERY, renamed=AFTER)
COMMITS = Arguments(CommitListQuery, without=_EVERY, renamed=AFTER)
PAGE: Arguments[ListQuery] = Arguments(ListQuery, without=_EVERY, renamed=AFTER)


def _below(kind: str, arguments: Arguments[Any], made: Any, about: str) -> graphene.Field:
    """Return the field of a project that is a list of its own."""

    def resolve(parent: Document, info: Any, **given: Any) -> Any:
        query = arguments.read(given)
        path = getattr(query, "path", None) or ""
        return page_of(info.context, parent, kind, query.page(), path)

    return graphene.Field(made, required=True, args=arguments.declared, resolver=resolve, description=about)


def _history(parent: Document, info: Any, **given: Any) -> Any:
    info.context.permit("events.read")
    return history_page(info.context, parent["id"], HISTORY.read(given))


Project = _type(
    "Project",
    views.ListedProject,
    "A project.",
    entity=True,
    files=_below("files", FILES, FileConnection, "Its files, by path."),
    commits=_below("commits", COMMITS, CommitConnection, "Its commits, the newest first."),
    reviews=_below("reviews", PAGE, ReviewConnection, "Its reviews, the newest first."),
    builds=_below("builds", PAGE, BuildConnection, "Its builds, the newest first."),
    insights=graphene.Field(
        Insights, required=True, resolver=resolvers.insights_of, description="What was measured of its files."
    ),
    history=graphene.Field(
        EventConnection,
        required=True,
        args=HISTORY.declared,
        resolver=_history,
        description="Its events, oldest first.",
    ),
)
ProjectConnection = connection_of(Project)


def project_cursor(sort: str) -> Any:
    """Return how a list of projects in the order *sort* names the place of one."""
    field = sort.removeprefix("-")
    return lambda item: encode_cursor(item[field], item["id"])
