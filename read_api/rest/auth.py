"""`/auth/*`: sign in and out; and the signing keys."""

from typing import Any

from commands.table.sessions import LoginInput, RefreshInput
from domain.actor import Actor
from domain.credentials.commands import RehashPassword
from domain.session.events import EndReason
from read_api.auth.sessions import end_session, new_session_id, open_session, refresh_session
from read_api.auth.tokens import TokenKind, unauthorized
from read_api.contract.sign_in_views import LoginView, TokensView
from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from telemetry.instruments import SIGN_INS

AUTH = "/api/v1/auth"
_NO_STORE = {"Cache-Control": "no-store"}

operation = Operations("Signing in")


@operation("POST", AUTH + "/login", "session.open", input=LoginInput, output=LoginView, statuses=(401, 429))
async def login(call: Call, data: LoginInput) -> Answer:
    """Sign in with an e-mail address and a password."""
    identity, intake = call.identity, call.api.intake
    claim = intake.claim("email", data.email)
    known = await identity.knows_address(claim, call.address)
    if not known:
        await call.api.limits.account(call, claim)
    account_id = intake.account_with_email(data.email) or ""
    exists = bool(account_id)
    attempt = await identity.allow_sign_in(claim, call.address, known=known, exists=exists)
    epoch = identity.principals.credentials(account_id).epoch  # before: a password may change meanwhile
    await _check_password(call, account_id, data.password, "invalid_credentials")
    session_id = new_session_id()
    if identity.principals.credentials(account_id).totp_secret is not None:
        mfa_token = identity.tokens.issue_mfa(account_id, session_id, epoch)
        return secret_answer(call, {"mfaRequired": True, "mfaToken": mfa_token})
    tokens = await open_session(call, account_id, session_id, epoch)
    await identity.signed_in(claim, call.address, attempt)
    return secret_answer(call, tokens)


async def _check_password(call: Call, account_id: str, password: str, code: str) -> None:
    """Refuse a wrong password with 401; hash a password again whose hash is outdated.

    For an account that does not exist, this takes as long.
    """
    identity = call.identity
    account = identity.principals.account(account_id)
    hashed = identity.principals.credentials(account_id).password_of(account) if account.exists else None
    if not await identity.passwords.verify(hashed, password) or hashed is None:
        SIGN_INS.labels("refused").inc()
        raise unauthorized("the e-mail address or the password is wrong", code)
    if identity.passwords.is_outdated(hashed):
        new_hash = await identity.passwords.hash(password)
        command = RehashPassword(account_id=account_id, replaced=hashed, password_hash=new_hash)
        await call.execute_and_wait(command, Actor(id=account_id))


@operation(
    "POST",
    AUTH + "/refresh",
    "session.refresh",
    input=RefreshInput,
    output=TokensView,
    statuses=(401,),
)
async def refresh(call: Call, data: RefreshInput) -> Answer:
    """Exchange a refresh token for new tokens; each is valid once, and a second use ends the session."""
    return secret_answer(call, await refresh_session(call, data.refresh_token))


@operation("POST", AUTH + "/logout", "session.end", input=RefreshInput, status=204, statuses=(401,))
async def logout(call: Call, data: RefreshInput) -> Answer:
    """Sign out: end the session of a refresh token."""
    claims = call.identity.tokens.read(data.refresh_token, TokenKind.REFRESH)
    await end_session(call, claims.subject, claims.session or "", EndReason.LOGOUT, Actor(id=claims.subject))
    return Answer(status=204, headers=call.position_header())


@operation("GET", "/.well-known/jwks.json", "system.read")
async def jwks(call: Call) -> Answer:
    """Get the public keys that verify tokens."""
    return json_answer(call.identity.tokens.keys.jwks(), headers={"Cache-Control": "public, max-age=300"})


def secret_answer(call: Call, document: Any) -> Answer:
    """Answer with secrets, which no cache may store."""
    return json_answer(document, headers={**_NO_STORE, **call.position_header()})
