"""Open a session, exchange its refresh token, end it."""

from typing import Any

from msgspec import Struct
from uuid_utils import uuid4, uuid7

from domain.actor import Actor
from domain.errors import ForbiddenError
from domain.session.commands import EndSession, OpenSession, RefreshSession
from domain.session.events import EndReason
from read_api.auth.identity import now_ms
from read_api.auth.request import CredentialRequest
from read_api.auth.tokens import ACCESS_SECONDS, REFRESH_SECONDS, SESSION_SECONDS, Kind, unauthorized

_USER_AGENT_LENGTH = 200


class SessionTokens(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a session is used with."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 # a type
    expires_in: int = ACCESS_SECONDS


def new_session_id() -> str:
    """Draw the id of a session."""
    return str(uuid7())


async def open_session(
    call: CredentialRequest, account_id: str, session_id: str, epoch: int, *, second_factor: bool
) -> SessionTokens:
    """Open a session for an account that has proven who it is, with the credentials of *epoch*.

    Raises Refusal where the id was used, or the credentials have changed meanwhile.
    """
    token_id, now = str(uuid4()), now_ms()
    expires_at = now + SESSION_SECONDS * 1000
    opened = OpenSession(
        session_id=session_id,
        account_id=account_id,
        token_id=token_id,
        opened_at=now,
        expires_at=expires_at,
        user_agent=_user_agent(call),
        address=call.address,
        epoch=epoch,
        second_factor=second_factor,
    )
    await call.execute_and_wait(opened, Actor(id=account_id))
    return _tokens(call, account_id, session_id, token_id, expires_at)


async def refresh_session(call: CredentialRequest, refresh_token: str) -> SessionTokens:
    """Exchange a refresh token; raises HttpError 401, and ends the session where the token was used before."""
    identity = call.identity
    claims = identity.tokens.read(refresh_token, Kind.REFRESH)
    session_id, next_id = claims.session or "", str(uuid4())
    command = RefreshSession(
        session_id=session_id,
        account_id=claims.subject,
        token_id=claims.token_id,
        next_token_id=next_id,
        at=now_ms(),
    )
    try:
        await call.execute_and_wait(command, Actor(id=claims.subject))
    except ForbiddenError as error:
        raise unauthorized(error.message, "invalid_token") from error
    session = identity.principals.session(session_id)
    if session.ended is EndReason.REUSE:
        identity.notify(
            claims.subject,
            "A sign-in was used twice",
            "A session's refresh token was used a second time, so that the session was ended. If that was not you, "
            "change your password.",
        )
        raise unauthorized("this refresh token was used before: the session has ended", "refresh_reused")
    if session.token_id != next_id:
        raise unauthorized("the session has moved on: use its newest refresh token", "invalid_token")
    return _tokens(call, claims.subject, session_id, next_id, session.expires_at)


async def end_session(
    call: CredentialRequest, account_id: str, session_id: str, reason: EndReason, actor: Actor
) -> Any:
    """End a session; raises Refusal where the account has none of this id."""
    return await call.execute_and_wait(
        EndSession(session_id=session_id, account_id=account_id, reason=reason), actor
    )


def _tokens(
    call: CredentialRequest, account_id: str, session_id: str, token_id: str, expires_at: int
) -> SessionTokens:
    identity = call.identity
    account = identity.principals.account(account_id)
    left = max(0, expires_at - now_ms()) // 1000
    return SessionTokens(
        access_token=identity.tokens.issue_access(
            account_id,
            account.roles,
            email=identity.email(account_id),
            tier=account.tier,
            session=session_id,
            seconds=min(ACCESS_SECONDS, left),
        ),
        refresh_token=identity.tokens.issue_refresh(
            account_id, session_id, token_id, min(REFRESH_SECONDS, left)
        ),
    )


def _user_agent(call: CredentialRequest) -> str:
    text = call.headers.get("user-agent", "")[:_USER_AGENT_LENGTH]
    return "".join(letter for letter in text if letter.isprintable())
