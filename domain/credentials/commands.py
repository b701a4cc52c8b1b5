"""The commands of credentials."""

from domain.command import Command
from domain.policy import Scope, anybody, signed_in


class ChangePassword(Command, tag="credentials.change_password", rule=signed_in(Scope.ACCOUNT)):
    """Give the account another password, and end its sessions except *kept_session*.

    *epoch* is the credentials' epoch when the change was permitted. A *reset* names what `reset_state` of the
    decider returned when its mail was sent: one that is older than the last change is refused. With
    *revoke_tokens*, the account's API tokens end too.
    """

    account_id: str
    password_hash: str
    kept_session: str | None
    epoch: int | None
    reset: str | None = None
    revoke_tokens: bool = False


class RehashPassword(Command, tag="credentials.rehash_password", rule=anybody(Scope.WRITE)):
    """Replace the hash *replaced* by *password_hash*, a hash of the same password."""

    account_id: str
    replaced: str
    password_hash: str


class RevokeSessions(Command, tag="credentials.revoke_sessions", rule=signed_in(Scope.ACCOUNT)):
    """End the account's sessions except *kept_session*; with *revoke_tokens*, its API tokens too."""

    account_id: str
    kept_session: str | None
    revoke_tokens: bool = False


class PrepareTotp(Command, tag="credentials.prepare_totp", rule=signed_in(Scope.ACCOUNT, verified=True)):
    """Store a sealed secret for one-time passwords, to be enabled later."""

    account_id: str
    secret: str


class EnableTotp(Command, tag="credentials.enable_totp", rule=signed_in(Scope.ACCOUNT, verified=True)):
    """Require one-time passwords; *step* is that of the password that proves the prepared *secret*."""

    account_id: str
    secret: str
    step: int
    recovery_hashes: tuple[str, ...]


class UseTotp(Command, tag="credentials.use_totp", rule=anybody(Scope.WRITE)):
    """Use the one-time password of *step*; each can be used once."""

    account_id: str
    step: int


class UseRecoveryCode(Command, tag="credentials.use_recovery_code", rule=anybody(Scope.WRITE)):
    """Use the recovery code with this hash; each can be used once."""

    account_id: str
    code_hash: str


class DisableTotp(Command, tag="credentials.disable_totp", rule=signed_in(Scope.ACCOUNT)):
    """Stop requiring one-time passwords."""

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
