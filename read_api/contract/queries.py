"""The query structs: parameters of a REST path, arguments of a GraphQL field."""

from typing import dataclass_transform

from msgspec import Struct

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


class FileListQuery(ListQuery):
    """Which files: those whose path starts with *path*."""

    path: PathPrefix = ""


class CommitListQuery(ListQuery):
    """Which commits: with *path*, those that changed that file."""

    path: Path | None = None


class NotificationQuery(ListQuery):
    """Which notifications: unread ones, read ones, or all."""

    unread: bool | None = None


class AsOfQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """A moment of the past, as an RFC 3339 time or a position token; and which fields."""

    as_of: Moment | None = None
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


class HistoryQuery(Struct, frozen=True, kw_only=True):
    """Which of a project's events, after which position; with *path*, those of that file."""

    after: Token | None = None
    cursor: Token | None = None
    limit: Limit = 20
    type: Topic | None = None
    path: Path | None = None

    @property
    def start(self) -> str | None:
        """Return the position after which the page starts."""
        return self.after or self.cursor
