"""What is published of each event: a publication for every event whose class does not say why it is withheld.

Nothing is computed from a `Personal` field: what is published stays the same when a person is erased. Words
that people wrote (names, titles, paths, contents) become counts and pseudonyms, also for public projects.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, Generic, TypeVar

from msgspec import Struct

from domain.account.events import (
    AccountErased,
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
)
from domain.announcement.events import AnnouncementPublished
from domain.build.events import BuildQueued, BuildStatusChanged
from domain.commit.events import ChangeStatus, CommitPartRecorded, CommitRecorded, RecordedChange
from domain.event import Event, event_class
from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRoleChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
)
from domain.review.events import ReviewClosed, ReviewCommented, ReviewDecided, ReviewOpened
from domain.suggestion.events import SuggestionAccepted, SuggestionDismissed
from domain.times import from_rfc3339, rfc3339
from projections.models.languages import language_of
from streams.public import events
from streams.public.languages import public_language
from streams.public.pseudonyms import Names

E = TypeVar("E", bound=Event)


class Publication(Struct, Generic[E], frozen=True):
    """An event type with its public shape and topic.

    *version* counts the shapes of the public event, *topic_version* those of the topic: a shape that readers
    of the old one cannot read goes to a topic of the next version. Those of version 1 named a person alike in
    every project.
    """

    event: type[E]
    shape: type[events.PublicEvent]
    convert: Callable[[E, Names], events.PublicEvent]
    aggregate: str
    version: int = 2
    topic_version: int = 2

    @property
    def type(self) -> str:
        """Return the CloudEvents type."""
        return self.event.TOPIC

    @property
    def of_account(self) -> bool:
        """Return whether the event is about an account, and not about work."""
        return self.aggregate == "account"

    @property
    def topic(self) -> str:
        """Return the name of the topic, without the installation's prefix."""
        return f"public.{self.aggregate}.v{self.topic_version}"


def _project_created(event: ProjectCreated, names: Names) -> events.PublicProjectCreated:
    return events.PublicProjectCreated(
        project=names.project(event.project_id),
        owner=names.person(event.owner_id),
        visibility=event.visibility,
        language=public_language(event.language),
        described=bool(event.description),
    )


def _project_updated(event: ProjectUpdated, names: Names) -> events.PublicProjectUpdated:
    return events.PublicProjectUpdated(
        project=names.project(event.project_id),
        visibility=event.visibility,
        language=public_language(event.language),
        described=bool(event.description),
    )


def _project_deleted(event: ProjectDeleted, names: Names) -> events.PublicProjectDeleted:
    return events.PublicProjectDeleted(project=names.project(event.project_id))


def _collaborator_added(event: CollaboratorAdded, names: Names) -> events.PublicCollaboratorAdded:
    return events.PublicCollaboratorAdded(
        project=names.project(event.project_id), collaborator=names.person(event.account_id), role=event.role
    )


def _collaborator_role_changed(
    event: CollaboratorRoleChanged, names: Names
) -> events.PublicCollaboratorRoleChanged:
    return events.PublicCollaboratorRoleChanged(
        project=names.project(event.project_id), collaborator=names.person(event.account_id), role=event.role
    )


def _collaborator_removed(event: CollaboratorRemoved, names: Names) -> events.PublicCollaboratorRemoved:
    return events.PublicCollaboratorRemoved(
        project=names.project(event.project_id), collaborator=names.person(event.account_id)
    )


def _file_written(event: FileWritten, names: Names) -> events.PublicFileWritten:
    return events.PublicFileWritten(
        project=names.project(event.project_id),
        file=names.file(event.project_id, event.path),
        language=public_language(language_of(event.path)),
        carried=event.content is not None,
        size=event.size,
        lines=_lines(event.content, event.encoding),
        commit=names.commit_or_none(event.project_id, event.commit),
    )


def _lines(content: str | None, encoding: Encoding | None) -> int | None:
    if content is None or encoding is Encoding.BASE64:
        return None
    return content.count("\n") + (content != "" and not content.endswith("\n"))


def _file_deleted(event: FileDeleted, names: Names) -> events.PublicFileDeleted:
    return events.PublicFileDeleted(
        project=names.project(event.project_id),
        file=names.file(event.project_id, event.path),
        language=public_language(language_of(event.path)),
        commit=names.commit_or_none(event.project_id, event.commit),
    )


def _commit_part_recorded(event: CommitPartRecorded, names: Names) -> events.PublicCommitPartRecorded:
    return events.PublicCommitPartRecorded(
        project=names.project(event.project_id),
        commit=names.commit(event.project_id, event.sha),
        changes=_changes(event.changes),
    )


def _commit_recorded(event: CommitRecorded, names: Names) -> events.PublicCommitRecorded:
    return events.PublicCommitRecorded(
        project=names.project(event.project_id),
        commit=names.commit(event.project_id, event.sha),
        number=event.number,
        parents=tuple(names.commit(event.project_id, sha) for sha in event.parents),
        author=names.person(event.author_id),
        authored_on=_day(event.authored_at),
        changes=_changes(event.changes),
    )


def _changes(changes: tuple[RecordedChange, ...]) -> events.PublicChanges:
    counts = Counter(change.status for change in changes)
    return events.PublicChanges(
        added=counts[ChangeStatus.ADDED],
        modified=counts[ChangeStatus.MODIFIED],
        deleted=counts[ChangeStatus.DELETED],
        type_changed=counts[ChangeStatus.TYPE_CHANGED],
    )


def _day(time: str) -> date | None:
    """Return the day in UTC; a finer time could be looked up in public histories, which name the author."""
    try:
        return date.fromisoformat(rfc3339(from_rfc3339(time))[:10])
    except (ValueError, OverflowError):
        return None


def _review_opened(event: ReviewOpened, names: Names) -> events.PublicReviewOpened:
    return events.PublicReviewOpened(
        project=names.project(event.project_id),
        review=names.thing("review", event.review_id),
        author=names.person(event.author_id),
        commits=tuple(names.commit(event.project_id, sha) for sha in event.commits),
        mentions=len(event.mentions),
    )


def _review_commented(event: ReviewCommented, names: Names) -> events.PublicReviewCommented:
    return events.PublicReviewCommented(
        project=names.project(event.project_id),
        review=names.thing("review", event.review_id),
        comment=names.thing("comment", event.comment_id),
        review_author=names.person(event.review_author_id),
        author=names.person(event.author_id),
        file=None if event.path is None else names.file(event.project_id, event.path),
        mentions=len(event.mentions),
    )


def _review_decided(event: ReviewDecided, names: Names) -> events.PublicReviewDecided:
    return events.PublicReviewDecided(
        project=names.project(event.project_id),
        review=names.thing("review", event.review_id),
        review_author=names.person(event.review_author_id),
        reviewer=names.person(event.reviewer_id),
        decision=event.decision,
    )


def _review_closed(event: ReviewClosed, names: Names) -> events.PublicReviewClosed:
    return events.PublicReviewClosed(
        project=names.project(event.project_id), review=names.thing("review", event.review_id)
    )


def _build_queued(event: BuildQueued, names: Names) -> events.PublicBuildQueued:
    return events.PublicBuildQueued(
        project=names.project(event.project_id),
        build=names.thing("build", event.build_id),
        commit=names.commit_or_none(event.project_id, event.commit),
    )


def _build_status_changed(event: BuildStatusChanged, names: Names) -> events.PublicBuildStatusChanged:
    return events.PublicBuildStatusChanged(
        project=names.project(event.project_id),
        build=names.thing("build", event.build_id),
        status=event.status,
    )


def _suggestion_accepted(event: SuggestionAccepted, names: Names) -> events.PublicSuggestionAccepted:
    return events.PublicSuggestionAccepted(
        project=names.project(event.project_id),
        suggestion=names.suggestion(event.project_id, event.suggestion_id),
    )


def _suggestion_dismissed(event: SuggestionDismissed, names: Names) -> events.PublicSuggestionDismissed:
    return events.PublicSuggestionDismissed(
        project=names.project(event.project_id),
        suggestion=names.suggestion(event.project_id, event.suggestion_id),
    )


def _announcement_published(event: AnnouncementPublished, names: Names) -> events.PublicAnnouncementPublished:
    return events.PublicAnnouncementPublished(
        announcement=names.thing("announcement", event.announcement_id), length=len(event.text)
    )


def _account_registered(event: AccountRegistered, names: Names) -> events.PublicAccountRegistered:
    return events.PublicAccountRegistered(
        account=names.person(event.account_id), roles=event.roles, tier=event.tier
    )


def _profile_changed(event: AccountProfileChanged, names: Names) -> events.PublicAccountProfileChanged:
    return events.PublicAccountProfileChanged(
        account=names.person(event.account_id),
        email_changed=event.email_claim is not None,
        name_changed=event.name_claim is not None,
    )


def _standing_changed(event: AccountStandingChanged, names: Names) -> events.PublicAccountStandingChanged:
    return events.PublicAccountStandingChanged(
        account=names.person(event.account_id), roles=event.roles, tier=event.tier
    )


def _account_erased(event: AccountErased, names: Names) -> events.PublicAccountErased:
    return events.PublicAccountErased(account=names.person(event.account_id))


PUBLISHED: tuple[Publication[Any], ...] = (
    Publication(ProjectCreated, events.PublicProjectCreated, _project_created, "project"),
    Publication(ProjectUpdated, events.PublicProjectUpdated, _project_updated, "project"),
    Publication(ProjectDeleted, events.PublicProjectDeleted, _project_deleted, "project"),
    Publication(CollaboratorAdded, events.PublicCollaboratorAdded, _collaborator_added, "project"),
    Publication(
        CollaboratorRoleChanged, events.PublicCollaboratorRoleChanged, _collaborator_role_changed, "project"
    ),
    Publication(CollaboratorRemoved, events.PublicCollaboratorRemoved, _collaborator_removed, "project"),
    Publication(FileWritten, events.PublicFileWritten, _file_written, "file"),
    Publication(FileDeleted, events.PublicFileDeleted, _file_deleted, "file"),
    Publication(CommitPartRecorded, events.PublicCommitPartRecorded, _commit_part_recorded, "commit"),
    Publication(CommitRecorded, events.PublicCommitRecorded, _commit_recorded, "commit"),
    Publication(ReviewOpened, events.PublicReviewOpened, _review_opened, "review"),
    Publication(ReviewCommented, events.PublicReviewCommented, _review_commented, "review"),
    Publication(ReviewDecided, events.PublicReviewDecided, _review_decided, "review"),
    Publication(ReviewClosed, events.PublicReviewClosed, _review_closed, "review"),
    Publication(BuildQueued, events.PublicBuildQueued, _build_queued, "build"),
    Publication(BuildStatusChanged, events.PublicBuildStatusChanged, _build_status_changed, "build"),
    Publication(SuggestionAccepted, events.PublicSuggestionAccepted, _suggestion_accepted, "suggestion"),
    Publication(SuggestionDismissed, events.PublicSuggestionDismissed, _suggestion_dismissed, "suggestion"),
    Publication(
        AnnouncementPublished, events.PublicAnnouncementPublished, _announcement_published, "announcement"
    ),
    Publication(AccountRegistered, events.PublicAccountRegistered, _account_registered, "account"),
    Publication(AccountProfileChanged, events.PublicAccountProfileChanged, _profile_changed, "account"),
    Publication(AccountStandingChanged, events.PublicAccountStandingChanged, _standing_changed, "account"),
    Publication(AccountErased, events.PublicAccountErased, _account_erased, "account"),
)

_BY_TYPE = {publication.type: publication for publication in PUBLISHED}


def publication_of(event_type: str) -> Publication[Any] | None:
    """Return the publication of events of this type; None for events that are not published."""
    return _BY_TYPE.get(event_type)


def why_withheld(event_type: str) -> str | None:
    """Return why events of this type are not published, as their class says; None without a reason.

    Raises KeyError where no event has this type.
    """
    return event_class(event_type).WITHHELD or None
