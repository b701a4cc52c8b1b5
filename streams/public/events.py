"""The public events. Their JSON Schemas are made from these types.

A published shape is not changed: a changed one gets the next version in `publications.py`. Within one topic a
new version may only add fields that readers can do without (`T | UnsetType = UNSET`).
"""

from datetime import date

from msgspec import Struct

from domain.actor import Role, Tier
from domain.build.events import BuildStatus
from domain.project.events import CollaboratorRole, Visibility
from domain.review.events import Decision
from streams.public.fields import Count, Language, Name, Person, Position, Size


class PublicEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """What every reader of the topics may know of an event."""


class PublicProjectCreated(PublicEvent, frozen=True):
    """A project was created."""

    project: Name
    owner: Person
    visibility: Visibility
    language: Language | None
    described: bool


class PublicProjectUpdated(PublicEvent, frozen=True):
    """A project's own fields were changed; these are their values now."""

    project: Name
    visibility: Visibility
    language: Language | None
    described: bool


class PublicProjectDeleted(PublicEvent, frozen=True):
    """A project was deleted."""

    project: Name


class PublicCollaboratorAdded(PublicEvent, frozen=True):
    """An account joined a project."""

    project: Name
    collaborator: Person
    role: CollaboratorRole


class PublicCollaboratorRoleChanged(PublicEvent, frozen=True):
    """A collaborator got another role."""

    project: Name
    collaborator: Person
    role: CollaboratorRole


class PublicCollaboratorRemoved(PublicEvent, frozen=True):
    """A collaborator left a project or was removed from it."""

    project: Name
    collaborator: Person


class PublicFileWritten(PublicEvent, frozen=True):
    """The content of a file was written.

    `size` is 0 where the log does not carry the content (`carried` is false). `lines` is null where the
    content is not text, or not carried. `language` follows from the file's name.
    """

    project: Name
    file: Name
    language: Language | None
    carried: bool
    size: Size
    lines: Count | None
    commit: Name | None


class PublicFileDeleted(PublicEvent, frozen=True):
    """A file was deleted."""

    project: Name
    file: Name
    language: Language | None
    commit: Name | None


class PublicChanges(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many paths a commit added, modified and deleted, and of how many it changed the type."""

    added: Count
    modified: Count
    deleted: Count
    type_changed: Count


class PublicCommitPartRecorded(PublicEvent, frozen=True):
    """A part of a large commit was recorded; `commit.recorded` follows the last part and counts all parts."""

    project: Name
    commit: Name
    changes: PublicChanges


class PublicCommitRecorded(PublicEvent, frozen=True):
    """A commit was recorded as the `number`-th of its project.

    `authoredOn` is the day in UTC, null where the author's clock was out of any calendar. For a commit in
    parts, `changes` counts the changes of all parts.
    """

    project: Name
    commit: Name
    number: Position
    parents: tuple[Name, ...]
    author: Person
    authored_on: date | None
    changes: PublicChanges


class PublicReviewOpened(PublicEvent, frozen=True):
    """A review of some commits was requested."""

    project: Name
    review: Name
    author: Person
    commits: tuple[Name, ...]
    mentions: Count


class PublicReviewCommented(PublicEvent, frozen=True):
    """A review was commented on; `file` where the comment is about one place."""

    project: Name
    review: Name
    comment: Name
    review_author: Person
    author: Person
    file: Name | None
    mentions: Count


class PublicReviewDecided(PublicEvent, frozen=True):
    """A reviewer approved the change or requested another one."""

    project: Name
    review: Name
    review_author: Person
    reviewer: Person
    decision: Decision


class PublicReviewClosed(PublicEvent, frozen=True):
    """A review was closed."""

    project: Name
    review: Name


class PublicBuildQueued(PublicEvent, frozen=True):
    """A build was requested."""

    project: Name
    build: Name
    commit: Name | None


class PublicBuildStatusChanged(PublicEvent, frozen=True):
    """The status of a build changed."""

    project: Name
    build: Name
    status: BuildStatus


class PublicSuggestionAccepted(PublicEvent, frozen=True):
    """A suggestion was accepted."""

    project: Name
    suggestion: Name


class PublicSuggestionDismissed(PublicEvent, frozen=True):
    """A suggestion was dismissed; it is no longer shown."""

    project: Name
    suggestion: Name


class PublicAnnouncementPublished(PublicEvent, frozen=True):
    """An administrator published an announcement."""

    announcement: Name
    length: Count


class PublicAccountRegistered(PublicEvent, frozen=True):
    """An account was registered."""

    account: Person
    roles: tuple[Role, ...]
    tier: Tier


class PublicAccountProfileChanged(PublicEvent, frozen=True):
    """The e-mail address, the name or both of an account changed."""

    account: Person
    email_changed: bool
    name_changed: bool


class PublicAccountStandingChanged(PublicEvent, frozen=True):
    """The roles or the tier of an account changed."""

    account: Person
    roles: tuple[Role, ...]
    tier: Tier


class PublicAccountErased(PublicEvent, frozen=True):
    """An account was erased at the person's request; the pseudonym stays, and leads to nobody."""

    account: Person
