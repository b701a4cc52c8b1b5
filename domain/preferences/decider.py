"""The decider of an account's preferences."""

from msgspec import Struct

from domain.actor import Actor
from domain.errors import ForbiddenError
from domain.policy import permit
from domain.preferences.commands import ChangeNotificationPreferences
from domain.preferences.events import NotificationPreferencesChanged, Preferences


class Chosen(Struct, frozen=True, kw_only=True):
    """The preferences that were set last; None before the first time."""

    preferences: Preferences | None


INITIAL = Chosen(preferences=None)


def decide(
    chosen: Chosen, command: ChangeNotificationPreferences, actor: Actor
) -> tuple[NotificationPreferencesChanged, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME)
    if actor.id != command.account_id:
        raise ForbiddenError("only the account itself may change its preferences")
    if command.preferences == chosen.preferences:
        return ()
    return (NotificationPreferencesChanged(account_id=command.account_id, preferences=command.preferences),)


def evolve(chosen: Chosen, event: NotificationPreferencesChanged) -> Chosen:  # noqa: ARG001 # the event determines the state alone
    """Return the preferences after *event*."""
    return Chosen(preferences=event.preferences)
