"""The commands of API tokens."""

from domain.actor import Role, Tier
from domain.command import Command
from domain.policy import Scope, administrator, signed_in


class CreateToken(Command, tag="token.create", rule=signed_in(Scope.ACCOUNT, verified=True)):
    """Create a token, which is known by its hash; *expires_at* is in milliseconds since the epoch.

    *epoch* is that of the credentials when the caller was authenticated.
    """

    token_id: str
    account_id: str
    name: str
    token_hash: str
    scopes: tuple[Scope, ...]
    expires_at: int
    epoch: int | None = None


class RevokeToken(Command, tag="token.revoke", rule=signed_in(Scope.ACCOUNT)):
    """Revoke the token."""

    token_id: str
    account_id: str


class RecordOperatorToken(Command, tag="token.record_operator", rule=administrator()):
    """Record that a server accepted a token of the operator; times are in milliseconds since the epoch."""

    token_id: str
    principal_id: str
    operated_by: str | None
    roles: tuple[Role, ...]
    tier: Tier
    issued_at: int
    expires_at: int


TokenCommand = CreateToken | RevokeToken
