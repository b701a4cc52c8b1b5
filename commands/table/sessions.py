"""Commands on sessions, and the inputs of the REST paths that build them."""

from commands.table.credentials import CodeInput
from commands.table.fields import EmailText, Input, PasswordText, TokenText
from commands.table.handler import Handler, accounts_home
from commands.table.row import CommandRow
from commands.unit_of_work import UnitOfWork
from domain.credentials.commands import UseRecoveryCode, UseTotp
from domain.credentials.decider import decide as decide_credentials
from domain.identifiers import account_stream, credentials_stream, session_stream
from domain.session.commands import EndSession, OpenSession, RefreshSession, SessionCommand
from domain.session.decider import decide


class LoginInput(Input):
    """The e-mail address and the password of an account."""

    email: EmailText
    password: PasswordText


class MfaInput(CodeInput, kw_only=True):
    """The token that the login returned, and the second factor."""

    mfa_token: TokenText


class RefreshInput(Input):
    """The refresh token of a session."""

    refresh_token: TokenText


def _stream(command: SessionCommand) -> str:
    return session_stream(command.session_id)


def _run(unit: UnitOfWork, stream: str, command: SessionCommand) -> None:
    account = unit.load(account_stream(command.account_id))
    credentials = unit.load(credentials_stream(command.account_id))
    unit.record(stream, decide(account, credentials, unit.load(stream), command, unit.actor))
    factor = _second_factor(command)
    if factor is not None:  # after the session, so that a sign-in that is refused uses no code
        used = decide_credentials(account, credentials, factor, unit.actor)
        unit.record(credentials_stream(command.account_id), used)


def _second_factor(command: SessionCommand) -> UseTotp | UseRecoveryCode | None:
    if not isinstance(command, OpenSession):
        return None
    if command.totp_step is not None:
        return UseTotp(account_id=command.account_id, step=command.totp_step)
    if command.recovery_hash is not None:
        return UseRecoveryCode(account_id=command.account_id, code_hash=command.recovery_hash)
    return None


_HANDLER = Handler(home=accounts_home, stream=_stream, run=_run)

ROWS = (
    CommandRow(OpenSession, _HANDLER),
    CommandRow(RefreshSession, _HANDLER),
    CommandRow(EndSession, _HANDLER),
)
