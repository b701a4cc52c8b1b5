"""Commands with which the server completes an erasure."""

from commands.table.handler import Handler, accounts_home, on_stream
from commands.table.row import CommandRow
from domain.erasure.commands import CompleteErasure, EraseTraces
from domain.erasure.decider import decide
from domain.identifiers import ACCOUNTS_HOME, erasure_stream


def _home_of_traces(command: EraseTraces) -> str:
    return command.home


def _stream_of_traces(command: EraseTraces) -> str:
    return erasure_stream(command.home, command.person)


def _stream_of_account(command: CompleteErasure) -> str:
    return erasure_stream(ACCOUNTS_HOME, command.account_id)


_ERASE_TRACES = Handler(home=_home_of_traces, stream=_stream_of_traces, run=on_stream(decide))
_COMPLETE = Handler(home=accounts_home, stream=_stream_of_account, run=on_stream(decide))

ROWS = (CommandRow(EraseTraces, _ERASE_TRACES), CommandRow(CompleteErasure, _COMPLETE))
