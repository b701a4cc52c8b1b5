"""Sessions that were not ended individually; the credentials know whether all were ended at once."""

from collections.abc import Iterable

from domain.erasure.events import TracesErased
from domain.record import Record
from domain.session.events import SessionEnded, SessionOpened, SessionRefreshed
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Delete, Patch, Put, Write

SESSIONS = "sessions"


def _opened(event: SessionOpened, record: Record) -> Iterable[Write]:
    now = rfc3339(record.occurred_at)
    document = {
        "id": event.session_id,
        "accountId": event.account_id,
        "createdAt": now,
        "lastUsedAt": now,
        "expiresAt": rfc3339(event.expires_at),
        "userAgent": event.user_agent,
        "address": event.address,
    }
    return (Put(SESSIONS, event.session_id, document),)


def _refreshed(event: SessionRefreshed, record: Record) -> Iterable[Write]:
    return (Patch(SESSIONS, event.session_id, {"lastUsedAt": rfc3339(record.occurred_at)}),)


def _ended(event: SessionEnded, _: Record) -> Iterable[Write]:
    return (Delete(SESSIONS, event.session_id),)


def _erased(event: TracesErased, _: Record) -> Iterable[Write]:
    return [Delete(SESSIONS, session) for session in event.sessions]


MODEL = read_model(
    SESSIONS,
    {SessionOpened: _opened, SessionRefreshed: _refreshed, SessionEnded: _ended, TracesErased: _erased},
    Collection(name=SESSIONS, indexes=(("accountId", "createdAt"), ("expiresAt",))),
)
