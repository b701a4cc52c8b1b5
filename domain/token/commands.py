"""The commands of API tokens."""

from domain.command import Command
from domain.policy import Scope, signed_in


class CreateToken(Command, tag="token.create", rule=signed_in(Scope.ACCOUNT)):
    """Create a token, which is known by its hash; *expires_at* is in milliseconds since the epoch."""

    token_id: str
    account_id: str
    name: str
    token_hash: str
    scopes: tuple[Scope, ...]
    expires_at: int


class RevokeToken(Command, tag="token.revoke", rule=signed_in(Scope.ACCOUNT)):
    """Revoke the token."""

    token_id: str
    account_id: str


TokenCommand = CreateToken | RevokeToken
