"""Open a session, refresh it with its refresh token, and end it."""

from typing import Any

from msgspec import Struct
from uuid_utils import uuid4, uuid7

from domain.actor import Actor
from domain.credentials.commands import UseRecoveryCode, UseTotp
from domain.errors import ForbiddenError
from domain.session.commands import EndSession, OpenSession, RefreshSession
from domain.session.events import EndReason
from jobs import notices
from read_api.auth.identity import now_ms
from read_api.auth.request import CredentialRequest
from read_api.auth.tokens import ACCESS_SECONDS, REFRESH_SECONDS, SESSION_SECONDS, TokenKind, unauthorized

_USER_AGENT_LENGTH = 200


class SessionTokens(Struct, frozen=True, kw_only=True, rename="camel"):
    """The tokens of a session, as clients get them."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 # not a secret
    expires_in: int = ACCESS_SECONDS


def new_session_id() -> str:
    """Return a new id for a session."""
    return str(uuid7())


async def open_session(
    call: CredentialRequest,
    account_id: str,
    session_id: str,
    epoch: int,
    factor: UseTotp | UseRecoveryCode | None = None,
) -> SessionTokens:
    """Open a session for an account that has proven its identity with the credentials of *epoch*.

    The *factor* is used with the same command, so that a refusal uses none. Raises Refusal where the id is in
    use already, the credentials have changed since, or the factor was used before.
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
        second_factor=factor is not None,
        totp_step=factor.step if isinstance(factor, UseTotp) else None,
        recovery_hash=factor.code_hash if isinstance(factor, UseRecoveryCode) else None,
    )
    await call.execute_and_wait(opened, Actor(id=account_id))
    return _tokens(call, account_id, session_id, token_id, expires_at)


async def refresh_session(call: CredentialRequest, refresh_token: str) -> SessionTokens:
    """Exchange a refresh token for new tokens; raises HttpError 401.

    A refresh token that was used before ends the session, because somebody else may hold a copy.
    """
    identity = call.identity
    claims = identity.tokens.read(refresh_token, TokenKind.REFRESH)
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
        identity.notify(claims.subject, notices.REFRESH_REUSED)
        raise unauthorized(
            "this refresh token was used before, so the session was ended: sign in again", "refresh_reused"
        )
    if session.token_id != next_id:
        raise unauthorized(
            "this refresh token is out of date: use the newest one of the session", "invalid_token"
        )
    return _tokens(call, claims.subject, session_id, next_id, session.expires_at)


async def end_session(
    call: CredentialRequest, account_id: str, session_id: str, reason: EndReason, actor: Actor
) -> Any:
    """End a session; raises Refusal where the account has no session with this id."""
    return await call.execute_and_wait(
        EndSession(session_id=session_id, account_id=account_id, reason=reason), actor
    )


def _tokens(
    call: CredentialRequest, account_id: str, session_id: str, token_id: str, expires_at: int
) -> SessionTokens:
    identity = call.identity
    account = identity.principals.account(account_id)
    remaining = max(0, expires_at - now_ms()) // 1000
    return SessionTokens(
        access_token=identity.tokens.issue_access(
            account_id,
            account.roles,
            email=identity.email(account_id),
            tier=account.tier,
            session=session_id,
            seconds=min(ACCESS_SECONDS, remaining),
        ),
        refresh_token=identity.tokens.issue_refresh(
            account_id, session_id, token_id, min(REFRESH_SECONDS, remaining)
        ),
    )


def _user_agent(call: CredentialRequest) -> str:
    text = call.headers.get("user-agent", "")[:_USER_AGENT_LENGTH]
    return "".join(letter for letter in text if letter.isprintable())
