"""The events of credentials.

They have a stream of their own, so that signing in does not change the version of the account.
"""

from domain.event import Event, Secret
from domain.upcasting import upcaster

_WITHHELD = "how somebody signs in is that person's own matter"


class PasswordChanged(
    Event, topic="credentials.password_changed", version=2, subject="account_id", withheld=_WITHHELD
):
    """The account got another password; its sessions ended, except *kept_session*.

    *tokens_revoked* says that its API tokens ended too.
    """

    account_id: str
    password_hash: Secret[str]
    kept_session: str | None
    tokens_revoked: bool


@upcaster("credentials.password_changed", from_version=1)
def _changed_without_tokens(data: dict[str, object]) -> dict[str, object]:
    return {**data, "tokensRevoked": False}


class PasswordRehashed(
    Event, topic="credentials.password_rehashed", version=1, subject="account_id", withheld=_WITHHELD
):
    """The password was hashed again with the current parameters; it is the same password."""

    account_id: str
    password_hash: Secret[str]


class SessionsRevoked(Event, topic="credentials.sessions_revoked", version=2, withheld=_WITHHELD):
    """The account's sessions ended, except *kept_session*; with *tokens_revoked*, its API tokens did too."""

    account_id: str
    kept_session: str | None
    tokens_revoked: bool


@upcaster("credentials.sessions_revoked", from_version=1)
def _revoked_without_tokens(data: dict[str, object]) -> dict[str, object]:
    return {**data, "tokensRevoked": False}


class TotpPrepared(
    Event, topic="credentials.totp_prepared", version=1, subject="account_id", withheld=_WITHHELD
):
    """A secret for one-time passwords was issued; signing in does not require it before it is enabled.

    The secret is sealed with a key of the installation, and encrypted with that of the person.
    """

    account_id: str
    secret: Secret[str]


class TotpEnabled(
    Event, topic="credentials.totp_enabled", version=1, subject="account_id", withheld=_WITHHELD
):
    """Signing in requires a one-time password. *step* is that of the password that proved the secret."""

    account_id: str
    step: int
    recovery_hashes: Secret[tuple[str, ...]]


class TotpUsed(Event, topic="credentials.totp_used", version=1, withheld=_WITHHELD):
    """The one-time password of *step* was used: it and those before it are no longer valid."""

    account_id: str
    step: int


class RecoveryCodeUsed(Event, topic="credentials.recovery_code_used", version=1, withheld=_WITHHELD):
    """The recovery code with this number, counted from 0, was used: it is no longer valid."""

    account_id: str
    number: int


class TotpDisabled(Event, topic="credentials.totp_disabled", version=1, withheld=_WITHHELD):
    """Signing in no longer requires a one-time password."""

    account_id: str


CredentialsEvent = (
    PasswordChanged
    | PasswordRehashed
    | SessionsRevoked
    | TotpPrepared
    | TotpEnabled
    | TotpUsed
    | RecoveryCodeUsed
    | TotpDisabled
)
