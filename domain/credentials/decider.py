"""The decider of the credentials of an account, which also end all its sessions at once."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.account.decider import Account, require_account
from domain.actor import Actor
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
from domain.credentials.events import (
    CredentialsEvent,
    PasswordChanged,
    PasswordRehashed,
    RecoveryCodeUsed,
    SessionsRevoked,
    TotpDisabled,
    TotpEnabled,
    TotpPrepared,
    TotpUsed,
)
from domain.errors import ConflictError, ForbiddenError
from domain.policy import permit

USED = ""
"""What replaces the hash of a recovery code that was used."""


class Credentials(Struct, frozen=True, kw_only=True):
    """The state of credentials. They are personal data, so they have no snapshots.

    *password_hash* is None while the password is that of the registration. *epoch* counts how often all
    sessions ended at once, and *kept_session* is the one that stayed open the last time. *totp_secret* is
    None where no one-time password is required; *totp_step* is that of the last one that was used.
    *factor_epoch* counts how often one-time passwords were enabled or disabled, *token_epoch* how often all
    API tokens ended at once.
    """

    password_hash: str | None = None
    epoch: int = 0
    kept_session: str | None = None
    totp_prepared: str | None = None
    totp_secret: str | None = None
    totp_step: int = 0
    recovery_hashes: tuple[str, ...] = ()
    factor_epoch: int = 0
    token_epoch: int = 0

    def password_of(self, account: Account) -> str:
        """Return the hash of the password of *account*, whose credentials these are."""
        return account.password_hash if self.password_hash is None else self.password_hash

    def keeps(self, session_id: str, epoch: int) -> bool:
        """Return whether a session that was opened in *epoch* did not end together with all others."""
        return epoch == self.epoch or session_id == self.kept_session


INITIAL = Credentials()


def decide(
    account: Account, credentials: Credentials, command: CredentialsCommand, actor: Actor
) -> tuple[CredentialsEvent, ...]:
    """Return the events that *command* causes, or refuse it; an actor changes its own credentials."""
    _require_own(account, command, actor)
    return _decided(account, credentials, command)


def _decided(  # noqa: PLR0911 # one for each command
    account: Account, credentials: Credentials, command: CredentialsCommand
) -> tuple[CredentialsEvent, ...]:
    match command:
        case ChangePassword():
            return _change_password(account, credentials, command)
        case RehashPassword(account_id=id_, password_hash=password_hash):
            if credentials.password_of(account) != command.replaced:  # it changed after it was verified
                return ()
            return (PasswordRehashed(account_id=id_, password_hash=password_hash),)
        case RevokeSessions(account_id=id_, kept_session=kept, revoke_tokens=tokens):
            return (SessionsRevoked(account_id=id_, kept_session=kept, tokens_revoked=tokens),)
        case PrepareTotp(account_id=id_, secret=secret):
            if credentials.totp_secret is not None:
                raise ConflictError("one-time passwords are enabled: disable them first", code="mfa_enabled")
            return (TotpPrepared(account_id=id_, secret=secret),)
        case EnableTotp():
            return _enable_totp(credentials, command)
        case UseTotp() | UseRecoveryCode() | DisableTotp():
            return _with_totp(credentials, command)
        case _:
            assert_never(command)


def reset_state(account: Account, credentials: Credentials) -> str:
    """Return a text that changes with the password, the sessions, the second factor and the address.

    The mail with a password reset names it, so that the reset is valid only while all of them stay.
    """
    return f"{credentials.epoch}.{credentials.factor_epoch}.{account.email_claim}"


def _change_password(
    account: Account, credentials: Credentials, command: ChangePassword
) -> tuple[CredentialsEvent, ...]:
    outdated = command.epoch is not None and command.epoch != credentials.epoch
    if outdated or (command.reset is not None and command.reset != reset_state(account, credentials)):
        raise ForbiddenError(
            "this password reset was used, or is older than the last change: request a new one",
            code="reset_used",
        )
    changed = PasswordChanged(
        account_id=command.account_id,
        password_hash=command.password_hash,
        kept_session=command.kept_session,
        tokens_revoked=command.revoke_tokens,
    )
    return (changed,)


def _enable_totp(credentials: Credentials, command: EnableTotp) -> tuple[CredentialsEvent, ...]:
    if credentials.totp_secret is not None:
        raise ConflictError("one-time passwords are enabled already", code="mfa_enabled")
    if credentials.totp_prepared is None or credentials.totp_prepared != command.secret:
        raise ConflictError("request a new secret first: this one is out of date", code="mfa_not_prepared")
    enabled = TotpEnabled(
        account_id=command.account_id, step=command.step, recovery_hashes=command.recovery_hashes
    )
    return (enabled,)


def _with_totp(
    credentials: Credentials, command: UseTotp | UseRecoveryCode | DisableTotp
) -> tuple[CredentialsEvent, ...]:
    if credentials.totp_secret is None:
        raise ConflictError("one-time passwords are not enabled", code="mfa_not_enabled")
    match command:
        case UseTotp(account_id=id_, step=step):
            if step <= credentials.totp_step:  # RFC 6238, section 5.2: each is accepted once
                raise ForbiddenError("this code was used already: wait for the next", code="code_used")
            return (TotpUsed(account_id=id_, step=step),)
        case UseRecoveryCode(account_id=id_, code_hash=code_hash):
            if code_hash == USED or code_hash not in credentials.recovery_hashes:
                raise ForbiddenError("this recovery code was used already", code="code_used")
            number = credentials.recovery_hashes.index(code_hash)
            return (RecoveryCodeUsed(account_id=id_, number=number),)
        case DisableTotp(account_id=id_):
            return (TotpDisabled(account_id=id_),)
        case _:
            assert_never(command)


def _require_own(account: Account, command: CredentialsCommand, actor: Actor) -> None:
    permit(actor, command.NAME)
    if actor.id != command.account_id:
        if not isinstance(command, RevokeSessions):
            raise ForbiddenError("only the account itself may do this", code="forbidden")
        permit(actor, "account.administer")
    require_account(account)


def evolve(credentials: Credentials, event: CredentialsEvent) -> Credentials:  # noqa: PLR0911 # one line each
    """Return the credentials after *event*."""
    match event:
        case PasswordChanged(password_hash=password_hash, kept_session=kept, tokens_revoked=tokens):
            return replace(_ended(credentials, kept, tokens=tokens), password_hash=password_hash)
        case PasswordRehashed(password_hash=password_hash):
            return replace(credentials, password_hash=password_hash)
        case SessionsRevoked(kept_session=kept, tokens_revoked=tokens):
            return _ended(credentials, kept, tokens=tokens)
        case TotpPrepared(secret=secret):
            return replace(credentials, totp_prepared=secret)
        case TotpEnabled(step=step, recovery_hashes=hashes):
            return replace(
                credentials,
                totp_secret=credentials.totp_prepared,
                totp_prepared=None,
                totp_step=step,
                recovery_hashes=hashes,
                factor_epoch=credentials.factor_epoch + 1,
            )
        case TotpUsed(step=step):
            return replace(credentials, totp_step=step)
        case RecoveryCodeUsed(number=number):
            hashes = credentials.recovery_hashes
            return replace(credentials, recovery_hashes=(*hashes[:number], USED, *hashes[number + 1 :]))
        case TotpDisabled():
            return replace(
                credentials,
                totp_secret=None,
                totp_prepared=None,
                recovery_hashes=(),
                factor_epoch=credentials.factor_epoch + 1,
            )
        case _:
            assert_never(event)


def _ended(credentials: Credentials, kept_session: str | None, *, tokens: bool) -> Credentials:
    """Return the credentials after all sessions but one ended; with *tokens*, all API tokens too."""
    return replace(
        credentials,
        epoch=credentials.epoch + 1,
        kept_session=kept_session,
        token_epoch=credentials.token_epoch + tokens,
    )
