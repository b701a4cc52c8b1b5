"""The bodies that callers send, one struct for each command type; unknown fields are refused."""

from typing import Annotated, dataclass_transform

from msgspec import UNSET, Meta, Struct, UnsetType

from domain import limits
from domain.actor import Role, Tier
from domain.build.events import BuildStatus
from domain.commit.events import ChangeStatus
from domain.file.events import Encoding
from domain.policy import Scope
from domain.project.events import CollaboratorRole, Visibility
from domain.review.events import Decision

_LINE = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_SHA = r"^[0-9a-f]{4,64}$"
_PATH = r"^[^/\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
_HANDLE = r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_LENGTH, pattern=_LINE)]
Description = Annotated[str, Meta(max_length=limits.DESCRIPTION_LENGTH)]
Language = Annotated[str, Meta(min_length=1, max_length=40, pattern=_LINE)]
Title = Annotated[str, Meta(min_length=1, max_length=limits.TITLE_LENGTH, pattern=_LINE)]
Text = Annotated[str, Meta(max_length=limits.TEXT_LENGTH)]
Message = Annotated[str, Meta(max_length=limits.MESSAGE_LENGTH)]
Path = Annotated[str, Meta(min_length=1, max_length=limits.PATH_LENGTH, pattern=_PATH)]
Sha = Annotated[str, Meta(pattern=_SHA)]
Id = Annotated[str, Meta(pattern=_UUID)]
SuggestionId = Annotated[str, Meta(pattern=_UUID)]
EmailAddress = Annotated[
    str, Meta(min_length=3, max_length=limits.EMAIL_LENGTH, pattern=r"^[^@\s]+@[^@\s]+$")
]
Handle = Annotated[str, Meta(pattern=_HANDLE)]
TokenText = Annotated[str, Meta(min_length=1, max_length=4_096)]
Code = Annotated[str, Meta(min_length=6, max_length=40)]
Password = Annotated[str, Meta(min_length=8, max_length=1_024)]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Input(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A body that a caller sends."""


class ProjectInput(Input):
    """A new project, or with PUT everything that it says about itself."""

    name: Name
    description: Description | None = None
    visibility: Visibility = Visibility.PRIVATE
    language: Language | None = None


class ProjectPatch(Input):
    """What shall change about a project; null removes a description or a language."""

    name: Name | UnsetType = UNSET
    description: Description | None | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    language: Language | None | UnsetType = UNSET


class NoInput(Input):
    """Nothing beyond the target."""


class CollaboratorInput(Input):
    """The role that a collaborator gets."""

    role: CollaboratorRole


class CollaboratorCommand(Input):
    """Who gets which role."""

    account_id: Id
    role: CollaboratorRole


class CollaboratorRemoval(Input):
    """Who shall no longer work on the project."""

    account_id: Id


class FileInput(Input):
    """The content of a file; base64 for what is not text, null for what is not carried."""

    content: str | None
    encoding: Encoding | None = None


class FileCommand(FileInput, kw_only=True):
    """The content of the file at *path*."""

    path: Path


class FileRemoval(Input):
    """Which file to delete."""

    path: Path


class AuthorInput(Input):
    """Who wrote a commit."""

    name: Name
    email: Annotated[str, Meta(max_length=limits.EMAIL_LENGTH)] | None = None


class ChangeInput(Input):
    """What a commit does to one path."""

    path: Path
    status: ChangeStatus
    content: str | None = None
    encoding: Encoding | None = None


class CommitInput(Input):
    """A commit. With *complete* false it is a part of a large one, and further parts of the same *sha* follow."""

    message: Message
    author: AuthorInput
    authored_at: Annotated[str, Meta(max_length=40)]
    parents: Annotated[tuple[Sha, ...], Meta(max_length=limits.PARENTS)] = ()
    changes: tuple[ChangeInput, ...] = ()
    sha: Sha | None = None
    complete: bool = True


class ReviewInput(Input):
    """A review asked for."""

    title: Title
    description: Text | None = None
    commits: Annotated[tuple[Sha, ...], Meta(max_length=250)] = ()


class CommentInput(Input):
    """A comment, about one place where *path* is given."""

    text: Annotated[str, Meta(min_length=1, max_length=limits.TEXT_LENGTH)]
    path: Path | None = None
    line: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None


class CommentCommand(CommentInput, kw_only=True):
    """A comment on a review."""

    review_id: Id


class DecisionInput(Input):
    """What a reviewer thinks."""

    decision: Decision
    text: Text | None = None


class DecisionCommand(DecisionInput, kw_only=True):
    """What a reviewer thinks of a review's change."""

    review_id: Id


class ReviewReference(Input):
    """Which review."""

    review_id: Id


class BuildInput(Input):
    """A build asked for."""

    name: Name = "build"
    commit: Sha | None = None


class BuildPatch(Input):
    """How far a build is."""

    status: BuildStatus


class BuildCommand(BuildPatch, kw_only=True):
    """How far which build is."""

    build_id: Id


class AnnouncementInput(Input):
    """Something for everybody."""

    title: Title
    text: Text


class SuggestionReference(Input):
    """Which suggestion."""

    suggestion_id: SuggestionId


class NotificationsInput(Input):
    """Which notifications were read; without ids, all."""

    ids: Annotated[tuple[Annotated[str, Meta(max_length=120)], ...], Meta(max_length=100)] | None = None


class RegisterInput(Input):
    """A new account."""

    email: EmailAddress
    name: Handle
    password: Password


class LoginInput(Input):
    """Credentials."""

    email: Annotated[str, Meta(max_length=limits.EMAIL_LENGTH)]
    password: Annotated[str, Meta(max_length=1_024)]


class RefreshInput(Input):
    """The refresh token of a session."""

    refresh_token: TokenText


class CodeInput(Input):
    """A one-time password, or a recovery code where one is taken."""

    code: Code


class MfaInput(CodeInput, kw_only=True):
    """What a login gave, and the second factor."""

    mfa_token: TokenText


class ForgottenInput(Input):
    """The address of an account whose password is forgotten."""

    email: Annotated[str, Meta(max_length=limits.EMAIL_LENGTH)]


class ResetInput(Input):
    """What came by mail, and the new password."""

    token: TokenText
    password: Password


class PasswordInput(Input):
    """The password of today and the new one."""

    current_password: Annotated[str, Meta(max_length=1_024)]
    new_password: Password


class TokenInput(Input):
    """A token for a service: what it is called, what it may do, and for how many days."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Meta(ge=1, le=366)] = 90


class ProfilePatch(Input):
    """What shall change about one's own account."""

    email: EmailAddress | UnsetType = UNSET
    name: Handle | UnsetType = UNSET


class StandingPatch(Input):
    """The roles and the tier that an account gets."""

    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=4)] | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
