"""The events of sessions."""

from enum import StrEnum

from domain.event import Event, Personal

_WITHHELD = "when and where somebody signs in is that person's own matter"


class EndReason(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    REUSE = "reuse"
    EXPIRED = "expired"


class SessionOpened(Event, topic="session.opened", version=1, subject="account_id", withheld=_WITHHELD):
    """A person signed in. *token_id* is that of the refresh token; *expires_at* is the latest end.

    The session ends when the credentials get another *epoch*. Times are in milliseconds since 1970.
    """

    session_id: str
    account_id: str
    epoch: int
    token_id: str
    opened_at: int
    expires_at: int
    user_agent: Personal[str]
    address: Personal[str]


class SessionRefreshed(Event, topic="session.refreshed", version=1, withheld=_WITHHELD):
    """The refresh token was exchanged for the next one."""

    session_id: str
    account_id: str
    token_id: str


class SessionEnded(Event, topic="session.ended", version=1, withheld=_WITHHELD):
    """The session ended: its tokens are no longer valid."""

    session_id: str
    account_id: str
    reason: EndReason


SessionEvent = SessionOpened | SessionRefreshed | SessionEnded
