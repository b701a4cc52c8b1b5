"""What may be asked of credentials."""

from domain.command import Command
from domain.policy import Scope, anybody, signed_in


class ChangePassword(Command, tag="credentials.change_password", rule=signed_in(Scope.ACCOUNT)):
    """Give the account another password, and end its sessions but *kept_session*.

    *epoch* is the account's when the change was allowed: a reset that was handed out before another one is refused.
    """

    account_id: str
    password_hash: str
    kept_session: str | None
    epoch: int | None


class RehashPassword(Command, tag="credentials.rehash_password", rule=anybody(Scope.WRITE)):
    """Put *password_hash* in the place of *replaced*, which is a hash of the same password."""

    account_id: str
    replaced: str
    password_hash: str


class RevokeSessions(Command, tag="credentials.revoke_sessions", rule=signed_in(Scope.ACCOUNT)):
    """End the account's sessions but *kept_session*."""

    account_id: str
    kept_session: str | None


class PrepareTotp(Command, tag="credentials.prepare_totp", rule=signed_in(Scope.ACCOUNT)):
    """Keep a sealed secret for one-time passwords until it is enabled."""

    account_id: str
    secret: str


class EnableTotp(Command, tag="credentials.enable_totp", rule=signed_in(Scope.ACCOUNT)):
    """Ask for one-time passwords from now on; *secret* is the prepared one, *step* that of the proof."""

    account_id: str
    secret: str
    step: int
    recovery_hashes: tuple[str, ...]


class UseTotp(Command, tag="credentials.use_totp", rule=anybody(Scope.WRITE)):
    """Use the one-time password of *step*, once."""

    account_id: str
    step: int


class UseRecoveryCode(Command, tag="credentials.use_recovery_code", rule=anybody(Scope.WRITE)):
    """Use the recovery code with this hash, once."""

    account_id: str
    code_hash: str


class DisableTotp(Command, tag="credentials.disable_totp", rule=signed_in(Scope.ACCOUNT)):
    """Ask for no one-time passwords any more."""

    account_id: str


CredentialsCommand = (
    ChangePassword
    | RehashPassword
    | RevokeSessions
    | PrepareTotp
    | EnableTotp
    | UseTotp
    | UseRecoveryCode
    | DisableTotp
)
