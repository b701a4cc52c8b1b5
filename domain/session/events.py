"""What happens to sessions."""

from enum import StrEnum

from domain.event import Event, Personal

_WITHHELD = "when and where somebody signs in is that person's own matter"


class EndReason(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    REUSE = "reuse"


class SessionOpened(Event, topic="session.opened", version=1, subject="account_id", withheld=_WITHHELD):
    """Somebody signed in at *opened_at*. *token_id* is that of the refresh token; *expires_at* is the latest end.

    *epoch* is the account's: the session ends when the account's moves on. Times are milliseconds since the epoch.
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
    """The session ended: its tokens are good no more."""

    session_id: str
    account_id: str
    reason: EndReason


SessionEvent = SessionOpened | SessionRefreshed | SessionEnded
