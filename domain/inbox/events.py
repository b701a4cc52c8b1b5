"""The event of an account's notifications."""

from domain.event import Event


class NotificationsRead(
    Event, topic="notifications.read", version=1, withheld="when somebody reads is that person's own matter"
):
    """The account read these notifications or, with *ids* None, all of them."""

    account_id: str
    ids: tuple[str, ...] | None
