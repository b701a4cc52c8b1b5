"""How accounts want to hear of news, and through which time mail told them of it."""

from collections.abc import Iterable

from msgspec.structs import asdict

from domain.mail.events import MailKind, MailSent
from domain.preferences.events import NotificationPreferencesChanged
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Put, Write

PREFERENCES = "notification_preferences"
MAILED = "mailed"


def _changed(event: NotificationPreferencesChanged, _: Record) -> Iterable[Write]:
    document = {"id": event.account_id, **preferences_document(event)}
    return (Put(PREFERENCES, event.account_id, document),)


def preferences_document(event: NotificationPreferencesChanged) -> dict[str, object]:
    """Return what people see of their preferences."""
    return {
        "mentioned": asdict(event.mentioned),
        "reviewRequested": asdict(event.review_requested),
        "reviewDecided": asdict(event.review_decided),
        "buildFinished": asdict(event.build_finished),
        "announcement": asdict(event.announcement),
        "roleChanged": asdict(event.role_changed),
        "weeklyReport": event.weekly_report,
    }


def _sent(event: MailSent, _: Record) -> Iterable[Write]:
    if event.kind is not MailKind.NOTIFICATIONS or event.through is None:
        return ()
    document = {"id": event.account_id, "through": rfc3339(event.through)}
    return (Put(MAILED, event.account_id, document),)


MODEL = read_model(
    "mail",
    {NotificationPreferencesChanged: _changed, MailSent: _sent},
    Collection(name=PREFERENCES),
    Collection(name=MAILED),
    answers_commands=True,
)
