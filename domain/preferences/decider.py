"""The decider of an account's preferences."""

from msgspec import Struct
from msgspec.structs import asdict

from domain.actor import Actor
from domain.errors import ForbiddenError
from domain.policy import permit
from domain.preferences.commands import ChangeNotificationPreferences
from domain.preferences.events import NotificationPreferencesChanged


class Preferences(Struct, frozen=True, kw_only=True):
    """The preferences that were set last; None before the first time."""

    set: NotificationPreferencesChanged | None


INITIAL = Preferences(set=None)


def decide(
    preferences: Preferences, command: ChangeNotificationPreferences, actor: Actor
) -> tuple[NotificationPreferencesChanged, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME)
    if actor.id != command.account_id:
        raise ForbiddenError("only the account itself may change its preferences")
    changed = NotificationPreferencesChanged(**asdict(command))
    return () if changed == preferences.set else (changed,)


def evolve(preferences: Preferences, event: NotificationPreferencesChanged) -> Preferences:  # noqa: ARG001 # the event determines the state alone
    """Return the preferences after *event*."""
    return Preferences(set=event)
