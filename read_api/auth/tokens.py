"""JSON Web Tokens; each kind of token is valid for one use only (RFC 7519, RFC 9068)."""

import time
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any

import jwt
from msgspec import Struct
from uuid_utils import uuid4

from domain.actor import SERVICE, Role, Tier
from read_api.auth.keys import ALGORITHM, Key, SigningKeys
from read_api.problems import HttpError

SERVICE_PREFIX = "service:"
ISSUER = "codepark"
AUDIENCE = "codepark"
ACCESS_SECONDS = 15 * 60
REFRESH_SECONDS = 14 * 24 * 3600
SESSION_SECONDS = 90 * 24 * 3600
MFA_SECONDS = 5 * 60
RESET_SECONDS = 30 * 60
VERIFY_SECONDS = 3 * 24 * 3600

_MOST_CACHED = 10_000
_NOT_VALID = "the token is not valid here: it is malformed, of another kind, or its key is unknown"
_TOKEN_CODES = ("invalid_token", "token_expired")


class TokenKind(StrEnum):
    """The use of a token: the `typ` of its header, so that no token passes for another kind."""

    ACCESS = "at+jwt"
    REFRESH = "rt+jwt"
    MFA = "mfa+jwt"
    RESET = "reset+jwt"
    VERIFY = "verify+jwt"


class Claims(Struct, frozen=True, kw_only=True):
    """The claims of a token.

    *operator* says that the operator's key signed it; *operated_by* is who acts for the subject (the claim
    `act` of RFC 8693). *issued* and *expires* are in seconds since the epoch. *reset* is what the mail of a
    password reset names, *claim* the address that a mail verifies.
    """

    subject: str
    token_id: str
    expires: float
    roles: frozenset[Role] = frozenset()
    tier: Tier = Tier.FREE
    session: str | None = None
    epoch: int | None = None
    operator: bool = False
    operated_by: str | None = None
    issued: float = 0.0
    reset: str | None = None
    claim: str | None = None


class Tokens:
    """Sign and check tokens; a checked access token is cached until it expires."""

    def __init__(self, keys: SigningKeys, clock: Callable[[], float] = time.time) -> None:
        """Sign with *keys*; *clock* returns seconds since the epoch."""
        self.keys = keys
        self._clock = clock
        self._cached: dict[str, Claims] = {}

    def issue_access(
        self,
        subject: str,
        roles: Collection[Role],
        *,
        email: str | None = None,
        tier: Tier = Tier.FREE,
        session: str | None = None,
        seconds: int = ACCESS_SECONDS,
        operator: bool = False,
        operated_by: str | None = None,
    ) -> str:
        """Return an access token for *subject* that is valid for *seconds*.

        The roles and the tier of an *operator*'s token are taken from the token, not from an account;
        *operated_by* is the principal that acts for the subject.
        """
        claims: dict[str, Any] = {"roles": sorted(roles), "tier": tier}
        if email is not None:
            claims["email"] = email
        if session is not None:
            claims["sid"] = session
        if operated_by is not None:
            claims["act"] = {"sub": operated_by}
        key = self.keys.operator() if operator else self.keys.signing()
        return self._signed(TokenKind.ACCESS, subject, str(uuid4()), seconds, claims, key)

    def issue_refresh(self, subject: str, session: str, token_id: str, seconds: int) -> str:
        """Return the refresh token *token_id* of a session."""
        claims = {"type": "refresh", "sid": session}
        return self._signed(TokenKind.REFRESH, subject, token_id, seconds, claims, self.keys.signing())

    def issue_mfa(self, subject: str, session: str, epoch: int) -> str:
        """Return a token which proves that the password was right: a second factor then opens *session*."""
        claims = {"sid": session, "epoch": epoch}
        return self._signed(TokenKind.MFA, subject, session, MFA_SECONDS, claims, self.keys.signing())

    def issue_reset(self, subject: str, state: str) -> str:
        """Return a token that resets the password while *state*, the decider's `reset_state`, stays."""
        claims, key = {"reset": state}, self.keys.signing()
        return self._signed(TokenKind.RESET, subject, str(uuid4()), RESET_SECONDS, claims, key)

    def issue_verification(self, subject: str, email_claim: str) -> str:
        """Return a token which proves that a mail has reached the address of *email_claim*."""
        claims, key = {"claim": email_claim}, self.keys.signing()
        return self._signed(TokenKind.VERIFY, subject, str(uuid4()), VERIFY_SECONDS, claims, key)

    def is_current(self, issued: float) -> bool:
        """Return whether an operator's token was issued after the last rotation of the signing key."""
        return issued * 1000 >= self.keys.operator_since()

    def access(self, token: str) -> Claims:
        """Return the claims of an access token; raises HttpError 401."""
        cached = self._cached.get(token)
        if cached is not None and cached.expires > self._clock():
            return self._current(cached)
        claims = self._current(self.read(token, TokenKind.ACCESS))
        if len(self._cached) >= _MOST_CACHED:
            self._cached.clear()
        self._cached[token] = claims
        return claims

    def _current(self, claims: Claims) -> Claims:
        if claims.operator and not self.is_current(claims.issued):
            raise unauthorized("the signing key was rotated since: make a new token", "invalid_token")
        return claims

    def read(self, token: str, kind: TokenKind) -> Claims:
        """Return the claims of a token of this kind; raises HttpError 401."""
        try:
            return self._checked(token, kind)
        except jwt.ExpiredSignatureError as error:
            raise unauthorized("the token has expired: get a new one", "token_expired") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise unauthorized(_NOT_VALID, "invalid_token") from error

    def _checked(self, token: str, kind: TokenKind) -> Claims:
        header = jwt.get_unverified_header(token)
        key = self.keys.find(str(header.get("kid")))
        if key is None or str(header.get("typ")).lower().removeprefix("application/") != kind:
            raise ValueError("the token is of another kind, or its key is unknown")
        payload = jwt.decode(
            token,
            key.public,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": ["exp", "iat", "sub", "aud", "iss", "jti"],
                "verify_exp": False,  # checked below, with the clock of this object
                "verify_iat": False,
            },
        )
        if payload["exp"] <= self._clock():
            raise jwt.ExpiredSignatureError
        return Claims(
            subject=str(payload["sub"]),
            token_id=str(payload["jti"]),
            expires=float(payload["exp"]),
            roles=frozenset(Role(role) for role in payload.get("roles", ())),
            tier=Tier(payload.get("tier", Tier.FREE)),
            session=payload.get("sid"),
            epoch=payload.get("epoch"),
            operator=key.operator,
            operated_by=_acting(payload, operator=key.operator),
            issued=float(payload["iat"]),
            reset=payload.get("reset"),
            claim=payload.get("claim"),
        )

    def _signed(
        self, kind: TokenKind, subject: str, token_id: str, seconds: int, claims: dict[str, Any], key: Key
    ) -> str:
        now = self._clock()
        standard = {
            "sub": subject,
            "iat": round(now, 3) if key.operator else int(now),  # a rotation of the key may follow at once
            "exp": int(now) + seconds,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "jti": token_id,
        }
        headers = {"kid": key.id, "typ": kind}
        return jwt.encode({**standard, **claims}, key.private, algorithm=ALGORITHM, headers=headers)


def _acting(payload: dict[str, Any], *, operator: bool) -> str | None:
    """Return who acts for the subject; a token of the operator for somebody else names at least the operator.

    Raises ValueError for a claim `act` of another form than RFC 8693 has.
    """
    act = payload.get("act")
    if act is not None:
        if not isinstance(act, dict) or not isinstance(act.get("sub"), str):
            raise ValueError("the claim act has no subject")
        return str(act["sub"])
    acts_for_another = operator and not str(payload["sub"]).startswith(SERVICE_PREFIX)
    return SERVICE.id if acts_for_another else None


def unauthorized(detail: str, code: str = "authentication_required") -> HttpError:
    """Return the HTTP error 401 for a request without valid credentials."""
    challenge = 'Bearer error="invalid_token"' if code in _TOKEN_CODES else "Bearer"
    return HttpError(401, code, detail, headers={"WWW-Authenticate": challenge})
