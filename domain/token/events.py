"""The events of API tokens."""

from domain.event import Event, Personal, Secret
from domain.policy import Scope

_WITHHELD = "what a person lets services do is that person's own matter"


class TokenCreated(Event, topic="token.created", version=1, subject="account_id", withheld=_WITHHELD):
    """An account created a token for a service; *expires_at* is in milliseconds since the epoch."""

    token_id: str
    account_id: str
    name: Personal[str]
    token_hash: Secret[str]
    scopes: tuple[Scope, ...]
    expires_at: int


class TokenRevoked(Event, topic="token.revoked", version=1, withheld=_WITHHELD):
    """The token was revoked."""

    token_id: str
    account_id: str


TokenEvent = TokenCreated | TokenRevoked
