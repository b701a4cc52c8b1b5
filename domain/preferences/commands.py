"""The command of an account's preferences."""

from domain.command import Command
from domain.policy import Scope, signed_in
from domain.preferences.events import Preferences


class ChangeNotificationPreferences(Command, tag="preferences.change", rule=signed_in(Scope.WRITE)):
    """Hear of news as these preferences say."""

    account_id: str
    preferences: Preferences
