"""The structs of answers: the OpenAPI document and the GraphQL types are made from them."""

from typing import Any, Generic, TypeVar, dataclass_transform

from msgspec import UNSET, Struct, UnsetType

from domain.actor import Role, Tier
from domain.build.events import BuildStatus
from domain.commit.events import ChangeStatus
from domain.file.events import Encoding
from domain.preferences.events import MailTime
from domain.project.events import CollaboratorRole, Visibility
from domain.review.events import Decision
from read_api.contract.quota_views import QuotasView

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
class View(Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of an answer; `?fields=` may leave fields out."""


class Person(View):
    """An account's id and name."""

    id: str
    name: str


class Collaborator(Person):
    """A collaborator of a project, with the role."""

    role: CollaboratorRole


class FileEntry(View):
    """A file of a project."""

    path: str
    version: int
    size: int


class ListedFile(FileEntry):
    """A file in a list; *digest* is the SHA-256 of its content in hex, null without content."""

    language: str | None
    digest: str | None


class AiInsights(View):
    """The complexity of a project's files, and suggestions in one sentence each."""

    complexity: float
    suggestions: list[str]


class ListedProject(View):
    """A project in a list; with *insightsPending*, newer insights than those shown are being made."""

    id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None
    owner_id: str
    owner: Person
    collaborators: list[Collaborator]
    ai_insights: AiInsights
    insights_pending: bool
    version: int
    created_at: str
    updated_at: str


class ProjectView(ListedProject):
    """A project with its files: the first 1,000, and no more than some megabytes of their paths."""

    files: list[FileEntry]
    files_truncated: bool | UnsetType = UNSET


class FileView(View):
    """A file with its content."""

    path: str
    content: str | None
    encoding: Encoding | None
    version: int
    size: int
    language: str | None
    updated_at: str


class CommitAuthor(View):
    """The author of a commit."""

    name: str
    email: str | None


class ListedCommit(View):
    """A commit in a list; *version* is its number in the project's history."""

    sha: str
    message: str
    author: CommitAuthor
    authored_at: str
    parents: list[str]
    version: int


class TimelineCommit(View):
    """A commit in few words: its *title* is the first line of its message, at most 100 characters of it.

    *position* is the one after everything that the commit did to the project's files, for `asOf`; *sequence*
    is that of the last event which it caused.
    """

    sha: str
    number: int
    title: str
    author_name: str
    authored_at: str
    recorded_at: str
    sequence: int
    position: str


class Timeline(View):
    """The commits of a project, the oldest first; *next* is the number of the first one that is left out.

    *position* is how far the history was when they were read: live events after it are new.
    """

    items: list[TimelineCommit]
    next: int | None
    position: str


class ChangeView(View):
    """The change of one path in a commit."""

    path: str
    status: ChangeStatus


class CommitView(ListedCommit):
    """A commit."""

    changes: list[ChangeView]
    recorded_at: str


class DecisionView(View):
    """The decision of a reviewer."""

    reviewer_id: str
    decision: Decision
    text: str
    at: str


class ListedReview(View):
    """A review in a list."""

    id: str
    project_id: str
    title: str
    description: str
    author_id: str
    author: Person
    commits: list[str]
    status: str
    decisions: list[DecisionView]
    version: int
    created_at: str
    updated_at: str


class CommentView(View):
    """A comment on a review."""

    id: str
    review_id: str
    project_id: str
    author_id: str
    author: Person
    text: str
    path: str | None
    line: int | None
    mentions: list[str]
    number: int
    created_at: str


class ReviewView(ListedReview):
    """A review with its comments: the first 1,000, and no more than some megabytes of them."""

    comments: list[CommentView]
    comments_truncated: bool | UnsetType = UNSET


class BuildView(View):
    """A build."""

    id: str
    project_id: str
    name: str
    commit: str | None
    status: BuildStatus
    version: int
    created_at: str
    updated_at: str


class AccountView(View):
    """An account; only itself and administrators see more than its name, and only itself sees its quotas."""

    id: str
    name: str
    created_at: str
    version: int
    email: str | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    quotas: QuotasView | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class ProjectReference(View):
    """A project's id and name."""

    id: str
    name: str


class NotificationView(View):
    """A notification of an account: its *title* in words, and as *link* the path of what it is about.

    *project* and *link* are null where the account may no longer see the project.
    """

    id: str
    kind: str
    title: str
    project: ProjectReference | None
    link: str | None
    project_id: str
    review_id: str | None
    actor_id: str
    read: bool
    created_at: str


class PreferenceView(View):
    """How somebody hears of one kind of news: over live channels, and by mail while it is unread."""

    live: bool
    mail: MailTime


class PreferencesView(View):
    """How an account hears of news, by its kind, and whether it gets the weekly report."""

    mentioned: PreferenceView
    review_requested: PreferenceView
    review_decided: PreferenceView
    build_finished: PreferenceView
    announcement: PreferenceView
    role_changed: PreferenceView
    weekly_report: bool


class AnnouncementView(View):
    """An announcement to everybody."""

    id: str
    title: str
    text: str
    author_id: str
    created_at: str


class EventView(View):
    """An event of the history."""

    id: str
    type: str
    schema_version: int
    project_id: str | None
    stream: str
    version: int
    sequence: int
    position: str
    occurred_at: str
    actor: str
    operated_by: str | None
    command_id: str
    correlation_id: str
    causation_id: str | None
    traceparent: str | None
    data: dict[str, Any] | None


class EventPage(View):
    """A page of events, and the position after the last one that was read."""

    items: list[EventView]
    next_cursor: str | None
    position: str


class CommandResult(View, kw_only=True):
    """The outcome of one command of a batch."""

    id: str
    command_id: str | UnsetType = UNSET
    status: str
    target: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    position: str | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET
    problem: dict[str, Any] | UnsetType = UNSET


class BatchResult(View):
    """The outcomes of the commands of a batch, in order."""

    results: list[CommandResult]


class CommandView(View):
    """The status of a command: `accepted`, or `unknown` while the log does not have it."""

    id: str
    status: str
    stream: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    position: str | UnsetType = UNSET


class ListOf(View, Generic[T]):
    """A page of a list; *nextCursor* leads to the next one."""

    items: list[T]
    next_cursor: str | None
