"""The command with which an account says how it wants to hear of news."""

from msgspec import convert, to_builtins

from commands.table.fields import Input
from commands.table.handler import Handler, on_stream
from commands.table.row import BuildContext, ClientCommandRow
from domain.identifiers import preferences_stream
from domain.preferences.commands import ChangeNotificationPreferences
from domain.preferences.decider import decide
from domain.preferences.defaults import BY_MAIL, DEFAULTS, LIVE_ALONE
from domain.preferences.events import MailTime, Preferences


class PreferenceInput(Input):
    """How you hear of one kind of news: over live channels, and by mail while it is unread."""

    live: bool = True
    mail: MailTime = MailTime.OFF


_BY_MAIL = PreferenceInput(live=BY_MAIL.live, mail=BY_MAIL.mail)
_LIVE_ALONE = PreferenceInput(live=LIVE_ALONE.live, mail=LIVE_ALONE.mail)


class PreferencesInput(Input):
    """How you hear of news; what is left out is as for a new account."""

    mentioned: PreferenceInput = _BY_MAIL
    review_requested: PreferenceInput = _BY_MAIL
    review_decided: PreferenceInput = _LIVE_ALONE
    build_finished: PreferenceInput = _LIVE_ALONE
    announcement: PreferenceInput = _LIVE_ALONE
    role_changed: PreferenceInput = _LIVE_ALONE
    weekly_report: bool = DEFAULTS.weekly_report


def _change(data: PreferencesInput, context: BuildContext) -> ChangeNotificationPreferences:
    preferences = convert(to_builtins(data), Preferences)  # they have the same fields
    return ChangeNotificationPreferences(account_id=context.account, preferences=preferences)


def _home(command: ChangeNotificationPreferences) -> str:
    return command.account_id


def _stream(command: ChangeNotificationPreferences) -> str:
    return preferences_stream(command.account_id)


ROWS = (
    ClientCommandRow(
        ChangeNotificationPreferences,
        Handler(home=_home, stream=_stream, run=on_stream(decide)),
        PreferencesInput,
        _change,
        targeted=False,
    ),
)
