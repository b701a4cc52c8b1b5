"""The query structs: parameters of a REST path, arguments of a GraphQL field."""

from typing import Annotated, dataclass_transform

from msgspec import Meta, Struct

from projections.queries.page import PageRequest
from projections.queries.projects import ProjectFilter
from read_api.contract.parameters import (
    Cursor,
    Fields,
    FreeFields,
    Handle,
    Limit,
    Moment,
    Path,
    PathPrefix,
    ProjectSort,
    Search,
    Stream,
    Token,
    Topic,
    Word,
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class ListQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """What every list takes."""

    limit: Limit = 20
    cursor: Cursor | None = None
    fields: Fields | None = None

    def page(self) -> PageRequest:
        """Return which page of the list is wanted."""
        return PageRequest(limit=self.limit, cursor=self.cursor)


class ProjectListQuery(ListQuery):
    """Which projects, in which order."""

    owner: Word | None = None
    collaborator: Word | None = None
    search: Search | None = None
    sort: ProjectSort = "-createdAt"

    def filter(self) -> ProjectFilter:
        """Return which projects are wanted, in which order."""
        return ProjectFilter(
            owner=self.owner, collaborator=self.collaborator, search=self.search, sort=self.sort
        )


class AccountListQuery(ListQuery):
    """Which accounts: the one with this handle; for administrators, those that match *search*, or all."""

    name: Handle | None = None
    search: Search | None = None


class PastListQuery(ListQuery):
    """What every list of a project takes; with *as_of*, the list as it was at that moment."""

    as_of: Moment | None = None


class FileListQuery(PastListQuery):
    """Which files: those whose path starts with *path*."""

    path: PathPrefix = ""


class CommitListQuery(PastListQuery):
    """Which commits: with *path*, those that changed that file."""

    path: Path | None = None


class TimelineQuery(Struct, frozen=True, kw_only=True):
    """Which commits of a project's timeline: those from number *first* on."""

    first: Annotated[int, Meta(ge=1, le=2**53)] = 1
    limit: Annotated[int, Meta(ge=1, le=5_000)] = 3_000


class NotificationQuery(ListQuery):
    """Which notifications: unread ones, read ones, or all."""

    unread: bool | None = None


class MomentQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """A moment of the past: an RFC 3339 time, a position token, or `authored:` and a date or time."""

    as_of: Moment | None = None


@dataclass_transform(frozen_default=True, kw_only_default=True)
class AsOfQuery(MomentQuery, frozen=True, kw_only=True, rename="camel"):
    """A moment of the past; and which fields."""

    fields: FreeFields | None = None


class EventQuery(Struct, frozen=True, kw_only=True):
    """Which events, after which position."""

    after: Token | None = None
    cursor: Token | None = None
    limit: Limit = 20
    type: Topic | None = None
    stream: Stream | None = None

    @property
    def start(self) -> str | None:
        """Return the position after which the page starts."""
        return self.after or self.cursor


class HistoryQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which of a project's events, after which position; with *path*, those of that file.

    With *as_of*, they end at that moment.
    """

    after: Token | None = None
    cursor: Token | None = None
    limit: Limit = 20
    type: Topic | None = None
    path: Path | None = None
    as_of: Moment | None = None

    @property
    def start(self) -> str | None:
        """Return the position after which the page starts."""
        return self.after or self.cursor
