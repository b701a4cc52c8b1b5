"""API tokens that were not revoked, without their secrets."""

from collections.abc import Iterable

from domain.erasure.events import TracesErased
from domain.record import Record
from domain.times import rfc3339
from domain.token.events import TokenCreated, TokenRevoked
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Delete, Put, Write

TOKENS = "tokens"


def _created(event: TokenCreated, record: Record) -> Iterable[Write]:
    document = {
        "id": event.token_id,
        "accountId": event.account_id,
        "name": event.name,
        "scopes": list(event.scopes),
        "createdAt": rfc3339(record.occurred_at),
        "expiresAt": rfc3339(event.expires_at),
    }
    return (Put(TOKENS, event.token_id, document),)


def _revoked(event: TokenRevoked, _: Record) -> Iterable[Write]:
    return (Delete(TOKENS, event.token_id),)


def _erased(event: TracesErased, _: Record) -> Iterable[Write]:
    return [Delete(TOKENS, token) for token in event.tokens]


MODEL = read_model(
    TOKENS,
    {TokenCreated: _created, TokenRevoked: _revoked, TracesErased: _erased},
    Collection(name=TOKENS, indexes=(("accountId", "createdAt"), ("expiresAt",))),
    answers_commands=True,
)
