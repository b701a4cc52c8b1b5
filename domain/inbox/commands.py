"""The command of an account's notifications."""

from domain.command import Command
from domain.policy import Scope, signed_in


class ReadNotifications(Command, tag="notifications.read", rule=signed_in(Scope.WRITE)):
    """Mark these notifications as read; None means all."""

    account_id: str
    ids: tuple[str, ...] | None
