"""Access tokens: JWTs signed with EdDSA."""

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm
from uuid_utils import uuid4

from domain.actor import Actor, Role, Tier
from read_api.gateway.problems import HttpError

ISSUER = "codepark"
AUDIENCE = "codepark"
ACCESS_SECONDS = 15 * 60
_ALGORITHM = "EdDSA"
_TYPE = "at+jwt"
_REMEMBERED = 10_000
_TOKEN_CODES = ("invalid_token", "token_expired")


class Tokens:
    """Sign and check access tokens; a checked token is remembered until it expires."""

    def __init__(self, key: Ed25519PrivateKey, clock: Callable[[], float] = time.time) -> None:
        """Sign with *key*; *clock* tells seconds since the epoch."""
        self._key = key
        self._public = key.public_key()
        self._clock = clock
        raw = self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:12]).decode()
        self._known: dict[str, tuple[Actor, float]] = {}

    def issue(
        self,
        subject: str,
        roles: frozenset[Role],
        *,
        email: str | None = None,
        tier: Tier = Tier.FREE,
        seconds: int = ACCESS_SECONDS,
    ) -> str:
        """Return an access token for *subject*, valid for *seconds*."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "sub": subject,
            "roles": sorted(roles),
            "tier": tier,
            "iat": now,
            "exp": now + seconds,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "jti": str(uuid4()),
        }
        if email is not None:
            claims["email"] = email
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self.key_id, "typ": _TYPE})

    def actor(self, token: str) -> Actor:
        """Return who *token* speaks for; raises HttpError 401."""
        known = self._known.get(token)
        if known is not None and known[1] > self._clock():
            return known[0]
        actor, expires = self._check(token)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[token] = (actor, expires)
        return actor

    def _check(self, token: str) -> tuple[Actor, float]:
        try:
            found = jwt.decode_complete(
                token,
                self._public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
            _check_type(found["header"])
            claims = found["payload"]
            roles = frozenset(Role(role) for role in claims.get("roles", ()))
            tier = Tier(claims.get("tier", Tier.FREE))
            return Actor(id=str(claims["sub"]), roles=roles, tier=tier), float(claims["exp"])
        except jwt.ExpiredSignatureError as error:
            raise unauthorized("the access token has expired", "token_expired") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise unauthorized("the access token is not valid", "invalid_token") from error

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        key = OKPAlgorithm.to_jwk(self._public, as_dict=True)
        return {"keys": [{**key, "kid": self.key_id, "use": "sig", "alg": _ALGORITHM}]}


def _check_type(header: dict[str, Any]) -> None:
    """Refuse a JWT that was made for something else (RFC 9068, section 4); raises ValueError."""
    if str(header.get("typ")).lower() not in (_TYPE, f"application/{_TYPE}"):
        raise ValueError("not an access token")


def unauthorized(detail: str, code: str = "authentication_required") -> HttpError:
    """Return the refusal of a request that must say who sends it."""
    challenge = 'Bearer error="invalid_token"' if code in _TOKEN_CODES else "Bearer"
    return HttpError(401, code, detail, headers={"WWW-Authenticate": challenge})
