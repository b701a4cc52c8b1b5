"""The command with which the server records the mail that its jobs sent."""

from commands.table.handler import Handler, on_stream
from commands.table.row import CommandRow
from domain.identifiers import mail_stream
from domain.mail.commands import RecordMail
from domain.mail.decider import decide


def _home(command: RecordMail) -> str:
    return command.account_id


def _stream(command: RecordMail) -> str:
    return mail_stream(command.account_id)


ROWS = (CommandRow(RecordMail, Handler(home=_home, stream=_stream, run=on_stream(decide))),)
