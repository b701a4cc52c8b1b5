"""Commands on what an account signs in with, and the inputs of the REST paths that build them."""

from commands.table.fields import Code, EmailText, Input, Password, PasswordText, TokenText
from commands.table.handler import Handler, accounts_home
from commands.table.row import CommandRow
from commands.unit_of_work import UnitOfWork
from domain.account.decider import proven_address
from domain.credentials.commands import (
    ChangePassword,
    CredentialsCommand,
    DisableTotp,
    EnableTotp,
    PrepareTotp,
    RehashPassword,
    RevokeSessions,
    UseRecoveryCode,
    UseTotp,
)
from domain.credentials.decider import decide
from domain.identifiers import account_stream, credentials_stream


class CodeInput(Input):
    """A one-time password, or a recovery code where one is accepted."""

    code: Code


class ForgottenInput(Input):
    """The e-mail address of an account whose password is forgotten."""

    email: EmailText


class ResetInput(Input):
    """The token from the password-reset mail, and the new password."""

    token: TokenText
    password: Password


class VerificationInput(Input):
    """The token from the mail that verifies an address."""

    token: TokenText


class PasswordInput(Input):
    """The current password and the new one; with `revokeTokens`, your API tokens end too."""

    current_password: PasswordText
    new_password: Password
    revoke_tokens: bool = False


def _stream(command: CredentialsCommand) -> str:
    return credentials_stream(command.account_id)


def _run(unit: UnitOfWork, stream: str, command: CredentialsCommand) -> None:
    account = unit.load(account_stream(command.account_id))
    unit.record(stream, decide(account, unit.load(stream), command, unit.actor))
    if isinstance(command, ChangePassword) and command.reset is not None:  # a mail reached the address
        unit.record(account_stream(command.account_id), proven_address(account, command.account_id))


_HANDLER = Handler(home=accounts_home, stream=_stream, run=_run)

ROWS = (
    CommandRow(ChangePassword, _HANDLER),
    CommandRow(RehashPassword, _HANDLER),
    CommandRow(RevokeSessions, _HANDLER),
    CommandRow(PrepareTotp, _HANDLER),
    CommandRow(EnableTotp, _HANDLER),
    CommandRow(UseTotp, _HANDLER),
    CommandRow(UseRecoveryCode, _HANDLER),
    CommandRow(DisableTotp, _HANDLER),
)
