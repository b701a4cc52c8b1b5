"""Who changes how an account hears of news, and what of it is recorded."""

import pytest
from msgspec.structs import replace

from domain.errors import ForbiddenError
from domain.mail import decider as mail
from domain.mail.commands import RecordMail
from domain.mail.events import MailKind, MailSent
from domain.preferences import decider
from domain.preferences.commands import ChangeNotificationPreferences
from domain.preferences.defaults import DEFAULTS
from domain.preferences.events import NotificationPreferencesChanged
from tests.unit.domain.people import ADMIN, ANONYMOUS, OWNER, STRANGER
from tests.unit.domain.scenario import given

SILENT = replace(DEFAULTS, weekly_report=False)


def change(preferences):
    return ChangeNotificationPreferences(account_id=OWNER.id, preferences=preferences)


def changed(preferences):
    return NotificationPreferencesChanged(account_id=OWNER.id, preferences=preferences)


def test_preferences_are_recorded_when_they_change():
    given(decider).when(change(DEFAULTS), OWNER).then(changed(DEFAULTS))
    given(decider, changed(DEFAULTS)).when(change(DEFAULTS), OWNER).then()
    given(decider, changed(DEFAULTS)).when(change(SILENT), OWNER).then(changed(SILENT))


@pytest.mark.parametrize(
    ("actor", "code"),
    [(STRANGER, "forbidden"), (ADMIN, "forbidden"), (ANONYMOUS, "authentication_required")],
)
def test_nobody_changes_them_for_another(actor, code):
    given(decider).when(change(SILENT), actor).refused(code)


def test_only_the_server_records_its_mail():
    command = RecordMail(account_id=OWNER.id, kind=MailKind.NOTIFICATIONS, through=3)
    sent = MailSent(account_id=OWNER.id, kind=MailKind.NOTIFICATIONS, through=3)
    assert mail.decide(None, command, ADMIN) == (sent,)
    with pytest.raises(ForbiddenError, match="needs the role admin"):
        mail.decide(None, command, OWNER)
