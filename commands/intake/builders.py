"""From an input to a command: ids, claims and mentions are filled in here, so that deciders need no I/O."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, Struct

from commands.intake import inputs
from commands.secrets import Secrets
from domain.announcement.commands import PublishAnnouncement
from domain.build.commands import MoveBuild, QueueBuild
from domain.command import Command
from domain.commit.commands import Change, RecordCommit
from domain.file.commands import DeleteFile, WriteFile
from domain.file.events import Encoding
from domain.identifiers import derived_uuid
from domain.inbox.commands import ReadNotifications
from domain.project.commands import (
    CreateProject,
    DeleteProject,
    RemoveCollaborator,
    SetCollaborator,
    UpdateProject,
)
from domain.review.commands import CloseReview, CommentReview, DecideReview, OpenReview
from domain.review.mentions import mentioned_names
from domain.suggestion.commands import AcceptSuggestion, DismissSuggestion


class Place(Struct, frozen=True, kw_only=True):
    """What a builder knows beside the input.

    *target* is the id that the command is for; *new_id* the id of what it creates; *account* who issues it.
    """

    target: str
    new_id: str
    account: str
    secrets: Secrets
    account_named: Callable[[str], str | None]

    def mentions(self, *texts: str) -> tuple[str, ...]:
        """Return the accounts that *texts* mention."""
        names = dict.fromkeys(name.casefold() for text in texts for name in mentioned_names(text))
        found = (self.account_named(name) for name in names)
        return tuple(dict.fromkeys(account for account in found if account is not None))


def create_project(data: inputs.ProjectInput, place: Place) -> Command:
    """Build `project.create`."""
    return CreateProject(
        project_id=place.new_id,
        name=data.name,
        description=data.description or "",
        visibility=data.visibility,
        language=data.language,
    )


def patch_project(data: inputs.ProjectPatch, place: Place) -> Command:
    """Build `project.update` with the fields that are given."""
    given = {name: getattr(data, name) for name in data.__struct_fields__}
    return UpdateProject(
        project_id=place.target,
        changes={name: value for name, value in given.items() if value is not UNSET},
    )


def delete_project(_: inputs.NoInput, place: Place) -> Command:
    """Build `project.delete`."""
    return DeleteProject(project_id=place.target)


def set_collaborator(data: inputs.CollaboratorCommand, place: Place) -> Command:
    """Build `collaborator.set`."""
    return SetCollaborator(project_id=place.target, account_id=data.account_id, role=data.role)


def remove_collaborator(data: inputs.CollaboratorRemoval, place: Place) -> Command:
    """Build `collaborator.remove`."""
    return RemoveCollaborator(project_id=place.target, account_id=data.account_id)


def write_file(data: inputs.FileCommand, place: Place) -> Command:
    """Build `file.write`."""
    encoding = _encoding(data.content, data.encoding)
    return WriteFile(project_id=place.target, path=data.path, content=data.content, encoding=encoding)


def delete_file(data: inputs.FileRemoval, place: Place) -> Command:
    """Build `file.delete`."""
    return DeleteFile(project_id=place.target, path=data.path)


def record_commit(data: inputs.CommitInput, place: Place) -> Command:
    """Build `commit.record`; a commit without a sha gets one from its id."""
    author = data.author.email or data.author.name
    return RecordCommit(
        project_id=place.target,
        sha=data.sha or place.new_id.replace("-", "").ljust(40, "0"),
        parents=data.parents,
        message=data.message,
        author_id="author-"
        + place.secrets.keyed_hash("author", f"{place.target}\0{author}\0{place.account}"),
        author_name=data.author.name,
        author_email=data.author.email,
        authored_at=data.authored_at,
        changes=tuple(_change(change) for change in data.changes),
        complete=data.complete,
    )


def _change(change: inputs.ChangeInput) -> Change:
    encoding = _encoding(change.content, change.encoding)
    return Change(path=change.path, status=change.status, content=change.content, encoding=encoding)


def _encoding(content: str | None, encoding: Encoding | None) -> Encoding | None:
    return None if content is None else encoding or Encoding.UTF8


def open_review(data: inputs.ReviewInput, place: Place) -> Command:
    """Build `review.open`."""
    description = data.description or ""
    return OpenReview(
        project_id=place.target,
        review_id=place.new_id,
        title=data.title,
        description=description,
        commits=data.commits,
        mentions=place.mentions(data.title, description),
    )


def comment_review(data: inputs.CommentCommand, place: Place) -> Command:
    """Build `review.comment`."""
    return CommentReview(
        project_id=place.target,
        review_id=data.review_id,
        comment_id=place.new_id,
        text=data.text,
        path=data.path,
        line=data.line,
        mentions=place.mentions(data.text),
    )


def decide_review(data: inputs.DecisionCommand, place: Place) -> Command:
    """Build `review.decide`."""
    return DecideReview(
        project_id=place.target, review_id=data.review_id, decision=data.decision, text=data.text or ""
    )


def close_review(data: inputs.ReviewReference, place: Place) -> Command:
    """Build `review.close`."""
    return CloseReview(project_id=place.target, review_id=data.review_id)


def queue_build(data: inputs.BuildInput, place: Place) -> Command:
    """Build `build.queue`."""
    return QueueBuild(project_id=place.target, build_id=place.new_id, name=data.name, commit=data.commit)


def move_build(data: inputs.BuildCommand, place: Place) -> Command:
    """Build `build.move`."""
    return MoveBuild(project_id=place.target, build_id=data.build_id, status=data.status)


def publish_announcement(data: inputs.AnnouncementInput, place: Place) -> Command:
    """Build `announcement.publish`."""
    return PublishAnnouncement(announcement_id=place.new_id, title=data.title, text=data.text)


def accept_suggestion(data: inputs.SuggestionReference, place: Place) -> Command:
    """Build `suggestion.accept`."""
    return AcceptSuggestion(project_id=place.target, suggestion_id=data.suggestion_id)


def dismiss_suggestion(data: inputs.SuggestionReference, place: Place) -> Command:
    """Build `suggestion.dismiss`."""
    return DismissSuggestion(project_id=place.target, suggestion_id=data.suggestion_id)


def read_notifications(data: inputs.NotificationsInput, place: Place) -> Command:
    """Build `notifications.read` for the one who issues it."""
    return ReadNotifications(account_id=place.account, ids=data.ids)


Builder = Callable[[Any, Place], Command]


class CommandType(Struct, frozen=True):
    """A command type of the batch endpoint: its input, its builder, and whether it needs a *target* project."""

    input: type[inputs.Input]
    build: Builder
    targeted: bool = True


COMMAND_TYPES: dict[str, CommandType] = {
    "project.create": CommandType(inputs.ProjectInput, create_project, targeted=False),
    "project.update": CommandType(inputs.ProjectPatch, patch_project),
    "project.delete": CommandType(inputs.NoInput, delete_project),
    "collaborator.set": CommandType(inputs.CollaboratorCommand, set_collaborator),
    "collaborator.remove": CommandType(inputs.CollaboratorRemoval, remove_collaborator),
    "file.write": CommandType(inputs.FileCommand, write_file),
    "file.delete": CommandType(inputs.FileRemoval, delete_file),
    "commit.record": CommandType(inputs.CommitInput, record_commit),
    "review.open": CommandType(inputs.ReviewInput, open_review),
    "review.comment": CommandType(inputs.CommentCommand, comment_review),
    "review.decide": CommandType(inputs.DecisionCommand, decide_review),
    "review.close": CommandType(inputs.ReviewReference, close_review),
    "build.queue": CommandType(inputs.BuildInput, queue_build),
    "build.move": CommandType(inputs.BuildCommand, move_build),
    "announcement.publish": CommandType(inputs.AnnouncementInput, publish_announcement, targeted=False),
    "suggestion.accept": CommandType(inputs.SuggestionReference, accept_suggestion),
    "suggestion.dismiss": CommandType(inputs.SuggestionReference, dismiss_suggestion),
    "notifications.read": CommandType(inputs.NotificationsInput, read_notifications, targeted=False),
}


def created_id(account: str, target: str, key: str) -> str:
    """Return the id of what a command with an idempotency key creates: a retry reaches the same one."""
    return derived_uuid("create", account, target, key)


def keyed_command_id(account: str, home: str, key: str) -> str:
    """Return the id of a command with an idempotency key; the key's scope is the caller and the home key."""
    return derived_uuid("command", account, home, key)
