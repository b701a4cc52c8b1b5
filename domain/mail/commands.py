"""The command with which the server records its mail."""

from domain.command import Command
from domain.mail.events import MailKind
from domain.policy import administrator


class RecordMail(Command, tag="mail.record", rule=administrator()):
    """Record that a mail was sent to the account."""

    account_id: str
    kind: MailKind
    through: int | None = None
