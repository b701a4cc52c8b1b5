"""How accounts want to hear of news, and through which time mail told them of it."""

from collections.abc import Iterable

from msgspec import to_builtins

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
    document = {"id": event.account_id, **to_builtins(event.preferences)}
    return (Put(PREFERENCES, event.account_id, document),)


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
