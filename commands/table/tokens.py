"""Commands on API tokens, and the input of the REST path that builds one."""

from typing import Annotated

from msgspec import Meta

from commands.table.fields import Input, Name
from commands.table.handler import Handler, accounts_home, on_stream
from commands.table.row import CommandRow
from commands.unit_of_work import UnitOfWork
from domain.identifiers import account_stream, credentials_stream, token_stream
from domain.limits import TOKEN_DAYS, TOKEN_DAYS_DEFAULT
from domain.policy import Scope
from domain.token.commands import CreateToken, RecordOperatorToken, RevokeToken, TokenCommand
from domain.token.decider import decide, decide_record


class TokenInput(Input):
    """A token for a service: its name, its scopes, and how many days it is valid."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Meta(ge=1, le=TOKEN_DAYS)] = TOKEN_DAYS_DEFAULT


def _stream(command: TokenCommand | RecordOperatorToken) -> str:
    return token_stream(command.token_id)


def _run(unit: UnitOfWork, stream: str, command: TokenCommand) -> None:
    account = unit.load(account_stream(command.account_id))
    credentials = unit.load(credentials_stream(command.account_id))
    unit.record(stream, decide(account, credentials, unit.load(stream), command, unit.actor))


_HANDLER = Handler(home=accounts_home, stream=_stream, run=_run)
_RECORD = Handler(home=accounts_home, stream=_stream, run=on_stream(decide_record))

ROWS = (
    CommandRow(CreateToken, _HANDLER),
    CommandRow(RevokeToken, _HANDLER),
    CommandRow(RecordOperatorToken, _RECORD),
)
