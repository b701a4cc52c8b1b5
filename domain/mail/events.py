"""The event of mail that was sent."""

from enum import StrEnum

from domain.event import Event


class MailKind(StrEnum):
    """What a mail was about."""

    SECURITY = "security"
    NOTIFICATIONS = "notifications"
    REPORT = "report"


class MailSent(
    Event, topic="mail.sent", version=1, withheld="what mail somebody gets is that person's own matter"
):
    """A mail server took a mail to the account, so that it is not sent again.

    One about notifications told of those that were created up to *through* (milliseconds since 1970).
    """

    account_id: str
    kind: MailKind
    through: int | None
