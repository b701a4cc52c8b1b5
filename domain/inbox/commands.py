"""What may be asked of an account's notifications."""

from domain.command import Command


class ReadNotifications(Command, tag="notifications.read"):
    """Mark these notifications as read; None means all there are."""

    account_id: str
    ids: tuple[str, ...] | None
