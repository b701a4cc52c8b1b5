"""The decider of sessions.

Refresh tokens rotate: each is valid once. A token that is used a second time ends the session, for either its
owner or a thief has used it before (RFC 9700, section 4.14.2).
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.account.decider import Account, require_account
from domain.actor import Actor
from domain.credentials.decider import Credentials
from domain.errors import ConflictError, ForbiddenError, NotFoundError
from domain.policy import permit
from domain.session.commands import EndSession, OpenSession, RefreshSession, SessionCommand
from domain.session.events import EndReason, SessionEnded, SessionEvent, SessionOpened, SessionRefreshed


class Session(Struct, frozen=True, kw_only=True):
    """The state of a session; *token_id* is that of the refresh token that is valid."""

    account_id: str
    epoch: int
    token_id: str
    opened_at: int
    expires_at: int
    ended: EndReason | None

    def is_valid(self, account: Account, credentials: Credentials, session_id: str, at: int) -> bool:
        """Return whether the session is valid at the time *at* (milliseconds since the epoch)."""
        open_ = account.exists and credentials.keeps(session_id, self.epoch)
        return open_ and self.ended is None and at < self.expires_at


INITIAL = Session(account_id="", epoch=0, token_id="", opened_at=0, expires_at=0, ended=None)  # no token yet


def decide(
    account: Account, credentials: Credentials, session: Session, command: SessionCommand, actor: Actor
) -> tuple[SessionEvent, ...]:
    """Return the events that *command* causes, or refuse it.

    *account* and *credentials* are those of the account that the command names.
    """
    permit(actor, command.NAME)
    match command:
        case OpenSession():
            return _open(account, credentials, session, command)
        case RefreshSession():
            return _refresh(account, credentials, session, command)
        case EndSession():
            return _end(session, command, actor)
        case _:
            assert_never(command)


def _open(
    account: Account, credentials: Credentials, session: Session, command: OpenSession
) -> tuple[SessionEvent, ...]:
    if session.account_id:
        raise ConflictError("this session was opened already: sign in again", code="session_exists")
    require_account(account)
    if command.epoch != credentials.epoch or (
        credentials.totp_secret is not None and not command.second_factor
    ):
        raise ForbiddenError("your credentials have just changed: sign in again", code="session_ended")
    opened = SessionOpened(
        session_id=command.session_id,
        account_id=command.account_id,
        epoch=credentials.epoch,
        token_id=command.token_id,
        opened_at=command.opened_at,
        expires_at=command.expires_at,
        user_agent=command.user_agent,
        address=command.address,
    )
    return (opened,)


def _refresh(
    account: Account, credentials: Credentials, session: Session, command: RefreshSession
) -> tuple[SessionEvent, ...]:
    if session.account_id != command.account_id or not session.is_valid(
        account, credentials, command.session_id, command.at
    ):
        raise ForbiddenError("the session has ended: sign in again", code="session_ended")
    if session.token_id != command.token_id:
        ended = SessionEnded(
            session_id=command.session_id, account_id=command.account_id, reason=EndReason.REUSE
        )
        return (ended,)
    refreshed = SessionRefreshed(
        session_id=command.session_id, account_id=command.account_id, token_id=command.next_token_id
    )
    return (refreshed,)


def _end(session: Session, command: EndSession, actor: Actor) -> tuple[SessionEvent, ...]:
    if not session.account_id or session.account_id != command.account_id:
        raise NotFoundError("there is no such session", code="session_not_found")
    if actor.id != session.account_id:
        permit(actor, "account.administer")
    if session.ended is not None:
        return ()
    ended = SessionEnded(session_id=command.session_id, account_id=command.account_id, reason=command.reason)
    return (ended,)


def evolve(session: Session, event: SessionEvent) -> Session:
    """Return the session after *event*."""
    match event:
        case SessionOpened():
            return Session(
                account_id=event.account_id,
                epoch=event.epoch,
                token_id=event.token_id,
                opened_at=event.opened_at,
                expires_at=event.expires_at,
                ended=None,
            )
        case SessionRefreshed(token_id=token_id):
            return replace(session, token_id=token_id)
        case SessionEnded(reason=reason):
            return replace(session, ended=reason)
        case _:
            assert_never(event)
