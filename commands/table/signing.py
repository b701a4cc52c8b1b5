"""The command that announces the next signing key."""

from commands.table.handler import Handler, accounts_home, on_stream
from commands.table.row import CommandRow
from domain.identifiers import SIGNING_STREAM
from domain.signing.commands import RotateSigningKey
from domain.signing.decider import decide


def _stream(_: RotateSigningKey) -> str:
    return SIGNING_STREAM


ROWS = (CommandRow(RotateSigningKey, Handler(home=accounts_home, stream=_stream, run=on_stream(decide))),)
