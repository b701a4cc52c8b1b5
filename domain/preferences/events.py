"""The event of an account's preferences."""

from enum import StrEnum

from msgspec import Struct

from domain.event import Event


class MailTime(StrEnum):
    """When a mail tells of news that is still unread: never, soon, with the hour, or at 8:00 UTC."""

    OFF = "off"
    NOW = "now"
    HOURLY = "hourly"
    DAILY = "daily"


class Preference(Struct, frozen=True, kw_only=True):
    """How an account hears of one kind of news: over live channels, and by mail."""

    live: bool
    mail: MailTime


class Preferences(Struct, frozen=True, kw_only=True, rename="camel"):
    """How an account hears of each kind of news, and whether it gets the weekly report."""

    mentioned: Preference
    review_requested: Preference
    review_decided: Preference
    build_finished: Preference
    announcement: Preference
    role_changed: Preference
    weekly_report: bool


class NotificationPreferencesChanged(
    Event,
    topic="preferences.changed",
    version=1,
    withheld="how somebody wants to hear of news is that person's own matter",
):
    """From now on, the account hears of news as these preferences say."""

    account_id: str
    preferences: Preferences
