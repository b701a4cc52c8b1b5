"""The decider of mail."""

from domain.actor import Actor
from domain.mail.commands import RecordMail
from domain.mail.events import MailSent
from domain.policy import permit


def decide(_: None, command: RecordMail, actor: Actor) -> tuple[MailSent, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME)
    return (MailSent(account_id=command.account_id, kind=command.kind, through=command.through),)
