"""The commands of sessions."""

from domain.command import Command
from domain.policy import Scope, anybody
from domain.session.events import EndReason


class OpenSession(Command, tag="session.open", rule=anybody(Scope.WRITE)):
    """Sign in; times are in milliseconds since the epoch.

    *epoch* is that of the credentials when the password was checked; *second_factor* says that one was given:
    the one-time password of *totp_step*, or the recovery code with *recovery_hash*. It is used with the same
    command, so that a refused sign-in uses none.
    """

    session_id: str
    account_id: str
    token_id: str
    opened_at: int
    expires_at: int
    user_agent: str
    address: str
    epoch: int
    second_factor: bool
    totp_step: int | None = None
    recovery_hash: str | None = None


class RefreshSession(Command, tag="session.refresh", rule=anybody(Scope.WRITE)):
    """Exchange the refresh token *token_id* for the next one; *at* is now (milliseconds since the epoch)."""

    session_id: str
    account_id: str
    token_id: str
    next_token_id: str
    at: int


class EndSession(Command, tag="session.end", rule=anybody(Scope.WRITE)):
    """End the session."""

    session_id: str
    account_id: str
    reason: EndReason


SessionCommand = OpenSession | RefreshSession | EndSession
