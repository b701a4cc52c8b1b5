"""All events and commands; importing this completes the register of stored names and the policy."""

from typing import get_args

from domain.account.commands import AccountCommand
from domain.account.events import AccountEvent, ClaimEvent
from domain.announcement.commands import PublishAnnouncement
from domain.announcement.events import AnnouncementPublished
from domain.build.commands import BuildCommand
from domain.build.events import BuildEvent
from domain.command import Command
from domain.commit.commands import RecordCommit
from domain.commit.events import CommitEvent
from domain.credentials.commands import CredentialsCommand
from domain.credentials.events import CredentialsEvent
from domain.erasure.commands import ErasureCommand
from domain.erasure.events import ErasureEvent
from domain.event import Event
from domain.feedback.commands import GiveFeedback
from domain.feedback.events import FeedbackGiven
from domain.file.commands import FileCommand
from domain.file.events import FileEvent
from domain.inbox.commands import ReadNotifications
from domain.inbox.events import NotificationsRead
from domain.log.events import CommandRefused, CommandUnchanged, LogFenced
from domain.mail.commands import RecordMail
from domain.mail.events import MailSent
from domain.preferences.commands import ChangeNotificationPreferences
from domain.preferences.events import NotificationPreferencesChanged
from domain.project.commands import ProjectCommand
from domain.project.events import ProjectEvent
from domain.review.commands import ReviewCommand
from domain.review.events import ReviewEvent
from domain.session.commands import SessionCommand
from domain.session.events import SessionEvent
from domain.signing.commands import RotateSigningKey
from domain.signing.events import SigningKeyRotated
from domain.suggestion.commands import SuggestionCommand
from domain.suggestion.events import SuggestionEvent
from domain.token.commands import RecordOperatorToken, TokenCommand
from domain.token.events import TokenEvent

EVENTS: tuple[type[Event], ...] = (
    *get_args(AccountEvent),
    *get_args(ClaimEvent),
    AnnouncementPublished,
    *get_args(BuildEvent),
    *get_args(CommitEvent),
    *get_args(CredentialsEvent),
    *get_args(ErasureEvent),
    FeedbackGiven,
    *get_args(FileEvent),
    NotificationPreferencesChanged,
    NotificationsRead,
    CommandRefused,
    CommandUnchanged,
    LogFenced,
    MailSent,
    *get_args(ProjectEvent),
    *get_args(ReviewEvent),
    *get_args(SessionEvent),
    SigningKeyRotated,
    *get_args(SuggestionEvent),
    *get_args(TokenEvent),
)

COMMANDS: tuple[type[Command], ...] = (
    *get_args(AccountCommand),
    PublishAnnouncement,
    *get_args(BuildCommand),
    RecordCommit,
    *get_args(CredentialsCommand),
    *get_args(ErasureCommand),
    GiveFeedback,
    *get_args(FileCommand),
    ReadNotifications,
    ChangeNotificationPreferences,
    RecordMail,
    *get_args(ProjectCommand),
    *get_args(ReviewCommand),
    *get_args(SessionCommand),
    RotateSigningKey,
    *get_args(SuggestionCommand),
    *get_args(TokenCommand),
    RecordOperatorToken,
)
