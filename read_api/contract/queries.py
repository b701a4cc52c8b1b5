"""The query structs: parameters of a REST path, arguments of a GraphQL field."""

from typing import Annotated, dataclass_transform

from msgspec import Meta, Struct

from projections.queries.page import PageRequest
from projections.queries.projects import ProjectFilter
from read_api.contract.event_filter import MOST_NAMES, EventFilter, descending, event_filter
from read_api.contract.parameters import (
    AnyToken,
    Cursor,
    Fields,
    Handle,
    Limit,
    Moment,
    Order,
    Path,
    PathPrefix,
    ProjectSort,
    Search,
    Streams,
    Time,
    Token,
    Topics,
    Word,
    Words,
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

    fields: Fields | None = None


@dataclass_transform(frozen_default=True, kw_only_default=True)
class EventFilterQuery(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The filter of events, which is the same on every channel."""

    type: Topics | None = None
    stream: Streams | None = None
    projects: Words | None = None
    actor: Words | None = None
    from_: Time | None = None
    until: Time | None = None
    order: Order | None = None

    def filter(self) -> EventFilter:
        """Return which events pass; raises InvalidError."""
        return event_filter(
            types=self.type,
            streams=self.stream,
            projects=self.projects,
            actors=self.actor,
            since=self.from_,
            until=self.until,
        )

    @property
    def newest_first(self) -> bool:
        """Return whether the newest events come first."""
        return descending(self.order)


class EventQuery(EventFilterQuery):
    """Which events, in which order, after which position."""

    after: Token | None = None
    cursor: Token | None = None
    limit: Limit = 20

    @property
    def start(self) -> str | None:
        """Return the position after which the page starts: the first page's, or where the last one ended."""
        return self.cursor or self.after

    @property
    def start_name(self) -> str:
        """Return the name of the parameter that says where the page starts."""
        return "after" if self.after else "cursor"


class EventListQuery(EventQuery):
    """Which events, where the projects are a list of ids, as GraphQL has lists."""

    projects: Annotated[tuple[Words, ...], Meta(min_length=1, max_length=MOST_NAMES)] | None = None  # type: ignore[assignment]


class HistoryQuery(EventQuery, rename={"as_of": "asOf"}):
    """Which of a project's events, after which position; with *path*, those of that file.

    With *as_of*, they end at that moment.
    """

    path: Path | None = None
    as_of: Moment | None = None


class LiveQuery(EventFilterQuery):
    """Which events a live channel sends, after which position; *token* signs in where a header cannot."""

    after: AnyToken | None = None
    token: str | None = None
