"""The events of API tokens."""

from domain.actor import Role, Tier
from domain.event import Event, Personal, Secret
from domain.policy import Scope
from domain.upcasting import upcaster

_WITHHELD = "what a person lets services do is that person's own matter"


class TokenCreated(Event, topic="token.created", version=2, subject="account_id", withheld=_WITHHELD):
    """An account created a token for a service; *expires_at* is in milliseconds since the epoch.

    The token ends when the credentials get another token *epoch*.
    """

    token_id: str
    account_id: str
    name: Personal[str]
    token_hash: Secret[str]
    scopes: tuple[Scope, ...]
    expires_at: int
    epoch: int


@upcaster("token.created", from_version=1)
def _created_before_epochs(data: dict[str, object]) -> dict[str, object]:
    return {**data, "epoch": 0}


class TokenRevoked(Event, topic="token.revoked", version=1, withheld=_WITHHELD):
    """The token was revoked."""

    token_id: str
    account_id: str


class OperatorTokenUsed(
    Event,
    topic="token.operator_used",
    version=1,
    withheld="concerns the operation of the installation",
):
    """A server accepted a token of the operator for the first time. Times are in milliseconds since 1970.

    The token gives *roles* and the *tier* to *principal_id*; *operated_by* is who acts for that principal,
    None where it is the operator's own.
    """

    token_id: str
    principal_id: str
    operated_by: str | None
    roles: tuple[Role, ...]
    tier: Tier
    issued_at: int
    expires_at: int


TokenEvent = TokenCreated | TokenRevoked | OperatorTokenUsed
