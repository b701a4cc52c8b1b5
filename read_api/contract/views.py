"""The shapes of answers, as the OpenAPI document tells them."""

from typing import Any, Generic, TypeVar, dataclass_transform

from msgspec import UNSET, Struct, UnsetType

from domain.actor import Role, Tier
from domain.build.events import BuildStatus
from domain.commit.events import ChangeStatus
from domain.file.events import Encoding
from domain.policy import Scope
from domain.project.events import CollaboratorRole, Visibility
from domain.review.events import Decision

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
class View(Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of an answer; `?fields=` may leave fields out."""


class Person(View):
    """An account's id and name."""

    id: str
    name: str


class Collaborator(Person):
    """Somebody who works on a project."""

    role: CollaboratorRole


class FileEntry(View):
    """A file of a project."""

    path: str
    version: int
    size: int


class ListedFile(FileEntry):
    """A file in a list."""

    language: str | None


class AiInsights(View):
    """What was measured of a project's files."""

    complexity: float
    suggestions: list[str]


class ListedProject(View):
    """A project in a list."""

    id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None
    owner_id: str
    owner: Person
    collaborators: list[Collaborator]
    ai_insights: AiInsights
    version: int
    created_at: str
    updated_at: str


class ProjectView(ListedProject):
    """A project; its first 1,000 files."""

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
    """Who wrote a commit."""

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


class ChangeView(View):
    """What a commit did to a path."""

    path: str
    status: ChangeStatus


class CommitView(ListedCommit):
    """A commit."""

    changes: list[ChangeView]
    recorded_at: str


class DecisionView(View):
    """What a reviewer thinks."""

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
    """A review with its comments."""

    comments: list[CommentView]


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


class SuggestionView(View):
    """What to change, and why."""

    id: str
    file: str
    function: str | None
    line: int
    kind: str
    reason: str
    model: str
    status: str | UnsetType = UNSET


class InsightsView(View):
    """The insights of a project."""

    project_id: str
    complexity: float
    functions: int
    files: int
    lines: int
    suggestions: list[SuggestionView]
    models: list[str]


class AccountView(View):
    """An account; others than itself and administrators see its name alone."""

    id: str
    name: str
    created_at: str
    version: int
    email: str | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class TokensView(View):
    """An access token, how long it is valid in seconds, and what is exchanged for the next one."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


class LoginView(View):
    """The tokens of a session, or what is to be sent with a second factor."""

    access_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET
    mfa_required: bool | UnsetType = UNSET
    mfa_token: str | UnsetType = UNSET


class MfaSetupView(View):
    """A secret for one-time passwords, as an authenticator program takes it."""

    secret: str
    otpauth_url: str
    qr_code: str


class RecoveryCodesView(View):
    """Codes that replace a one-time password, each once. They are shown this once."""

    recovery_codes: list[str]


class SessionView(View):
    """A session: where somebody is signed in."""

    id: str
    created_at: str
    last_used_at: str
    expires_at: str
    user_agent: str
    address: str
    current: bool


class TokenView(View):
    """A token for a service; the token itself is shown once, when it is made."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: str
    expires_at: str
    token: str | UnsetType = UNSET


class NotificationView(View):
    """Something that an account is told."""

    id: str
    kind: str
    project_id: str
    review_id: str | None
    actor_id: str
    read: bool
    created_at: str


class AnnouncementView(View):
    """Something that everybody is told."""

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
    command_id: str
    correlation_id: str
    causation_id: str | None
    traceparent: str | None
    data: dict[str, Any] | None


class EventPage(View):
    """Events, and the position behind the last one that was looked at."""

    items: list[EventView]
    next_cursor: str | None
    position: str


class CommandResult(View, kw_only=True):
    """What became of one command of a batch."""

    id: str
    command_id: str | UnsetType = UNSET
    status: str
    target: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    position: str | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET
    problem: dict[str, Any] | UnsetType = UNSET


class BatchResult(View):
    """What became of the commands of a batch, in order."""

    results: list[CommandResult]


class CommandView(View):
    """What is known of a command: `accepted`, or `unknown` while the log does not have it."""

    id: str
    status: str
    stream: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    position: str | UnsetType = UNSET


class ListOf(View, Generic[T]):
    """A page of a list; *nextCursor* leads to the next one."""

    items: list[T]
    next_cursor: str | None
