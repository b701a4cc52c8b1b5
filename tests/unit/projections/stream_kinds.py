"""The stream of every event type, and a sample of each type; the samples of one stream share its ids."""

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from msgspec import structs

from domain import identifiers
from domain.account.events import AccountEvent, AccountRegistered, ClaimEvent, ClaimTaken
from domain.announcement.events import AnnouncementPublished
from domain.build.events import BuildEvent, BuildQueued
from domain.commit.events import CommitEvent, CommitRecorded
from domain.credentials.events import CredentialsEvent
from domain.erasure.events import ErasureEvent, TracesErased
from domain.event import Event
from domain.feedback.events import FeedbackGiven
from domain.file.events import FileEvent, FileWritten
from domain.inbox.events import NotificationsRead
from domain.log.events import CommandRefused, CommandUnchanged, LogFenced
from domain.mail.events import MailSent
from domain.preferences.events import NotificationPreferencesChanged
from domain.project.events import CollaboratorAdded, ProjectCreated, ProjectEvent
from domain.review.events import ReviewCommented, ReviewDecided, ReviewEvent, ReviewOpened
from domain.session.events import SessionEvent, SessionOpened
from domain.signing.events import SigningKeyRotated
from domain.suggestion.events import SuggestionEvent
from domain.token.events import TokenCreated, TokenEvent
from tests.golden_files import event_of


class StreamKind(NamedTuple):
    """A kind of stream: its events, how it is named for one of them, and the event that begins it."""

    events: tuple[type[Event], ...]
    stream: Callable[[Any], str]
    first: type[Event] | None = None


STREAM_KINDS: dict[str, StreamKind] = {
    "account": StreamKind(
        get_args(AccountEvent), lambda event: identifiers.account_stream(event.account_id), AccountRegistered
    ),
    "announcement": StreamKind(
        (AnnouncementPublished,),
        lambda event: identifiers.announcement_stream(event.announcement_id),
        AnnouncementPublished,
    ),
    "build": StreamKind(
        get_args(BuildEvent), lambda event: identifiers.build_stream(event.build_id), BuildQueued
    ),
    "claim": StreamKind(get_args(ClaimEvent), lambda _: identifiers.claim_stream("claim"), ClaimTaken),
    "commands": StreamKind(
        (CommandRefused, CommandUnchanged, LogFenced), lambda _: identifiers.technical_stream("home")
    ),
    "commits": StreamKind(
        get_args(CommitEvent), lambda event: identifiers.commits_stream(event.project_id), CommitRecorded
    ),
    "credentials": StreamKind(
        get_args(CredentialsEvent), lambda event: identifiers.credentials_stream(event.account_id)
    ),
    "erasure": StreamKind(get_args(ErasureEvent), lambda _: identifiers.erasure_stream("home", "person")),
    "feedback": StreamKind((FeedbackGiven,), lambda event: identifiers.feedback_stream(event.feedback_id)),
    "file": StreamKind(
        get_args(FileEvent),
        lambda event: identifiers.file_stream(event.project_id, event.path),
        FileWritten,
    ),
    "inbox": StreamKind((NotificationsRead,), lambda event: identifiers.inbox_stream(event.account_id)),
    "mail": StreamKind((MailSent,), lambda event: identifiers.mail_stream(event.account_id)),
    "preferences": StreamKind(
        (NotificationPreferencesChanged,), lambda event: identifiers.preferences_stream(event.account_id)
    ),
    "project": StreamKind(
        get_args(ProjectEvent), lambda event: identifiers.project_stream(event.project_id), ProjectCreated
    ),
    "review": StreamKind(
        get_args(ReviewEvent), lambda event: identifiers.review_stream(event.review_id), ReviewOpened
    ),
    "session": StreamKind(
        get_args(SessionEvent), lambda event: identifiers.session_stream(event.session_id), SessionOpened
    ),
    "signing": StreamKind((SigningKeyRotated,), lambda _: identifiers.SIGNING_STREAM),
    "suggestion": StreamKind(
        get_args(SuggestionEvent),
        lambda event: identifiers.suggestion_stream(event.project_id, event.suggestion_id),
    ),
    "token": StreamKind(
        get_args(TokenEvent), lambda event: identifiers.token_stream(event.token_id), TokenCreated
    ),
}

BEGINNINGS: tuple[type[Event], ...] = (
    *(kind.first for kind in STREAM_KINDS.values() if kind.first is not None),
    CollaboratorAdded,
    ReviewCommented,
    ReviewDecided,
)
"""Events after which there is a document of every collection that a later event changes."""


def kind_of(cls: type[Event]) -> str | None:
    """Return the kind of stream that events of *cls* belong to, None where the table above has none."""
    return next((name for name, kind in STREAM_KINDS.items() if cls in kind.events), None)


def a_sample(cls: type[Event]) -> Event:
    """Return an event with a value in every field; an erasure names what the other samples wrote."""
    event = event_of(cls)
    if not isinstance(event, TracesErased):
        return event
    return structs.replace(
        event,
        home=event_of(CommitRecorded).project_id,
        person=event_of(ReviewDecided).reviewer_id,
        reviews=(event_of(ReviewOpened).review_id,),
        decisions=(),
        comments=(event_of(ReviewCommented).comment_id,),
        commits=(event_of(CommitRecorded).sha,),
        sessions=(event_of(SessionOpened).session_id,),
        tokens=(event_of(TokenCreated).token_id,),
    )
