"""Who a request speaks for, by the state that the log gives: what is revoked is good no more from the next request on."""

import hashlib
import hmac
import math
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from msgspec import Struct

from commands.aggregates import kind_name
from commands.log import EventLog
from commands.secrets import Secrets
from commands.unit_of_work import load
from domain.account.decider import Account
from domain.actor import Actor, Role
from domain.credentials.decider import Credentials
from domain.identifiers import account_stream, credentials_stream, session_stream, token_stream
from domain.policy import Scope
from domain.record import Record
from domain.session.decider import Session
from domain.token.decider import Token
from read_api.auth.tokens import Claims, Tokens, unauthorized

API_TOKEN = "cp_"  # noqa: S105 # what API tokens begin with
SERVICE_PREFIX = "service:"
_KINDS = frozenset({"account", "credentials", "session", "token"})
_KEPT = 50_000
RECENT_SECONDS = 15 * 60
"""How long after signing in somebody may change what they sign in with."""

_LONGEST = 4_096
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_VALID = "this token is not valid: it was revoked, or has expired"
_ENDED = "the session has ended: sign in again"


class Principal(Struct, frozen=True):
    """Who sends a request, and in which session or with which API token; the operator's tokens have neither.

    *expires* is when an operator's token does, in seconds since the epoch.
    """

    actor: Actor
    session: str | None = None
    token: str | None = None
    expires: float = math.inf


class Principals:
    """Read who a credential speaks for.

    The states come from the log's own copy on this machine, which every process that answers requests has, and are kept
    until an event of theirs is appended. So a revocation counts at once, with no other server to ask.
    """

    def __init__(
        self,
        log: EventLog,
        tokens: Tokens,
        secrets: Secrets,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read from *log*, which holds the accounts; *clock* tells seconds since the epoch."""
        self._log = log
        self._tokens = tokens
        self._secrets = secrets
        self._clock = clock
        self._states: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._appends = 0
        log.on_append(self._appended)

    def of(self, credential: str) -> Principal:
        """Return who *credential* speaks for; raises HttpError 401, and LogUnavailableError."""
        if len(credential) > _LONGEST:
            raise unauthorized("this token is not valid: it is too long", "invalid_token")
        if credential.startswith(API_TOKEN):
            return self._of_api_token(credential)
        claims = self._tokens.access(credential)
        if claims.operator:
            return Principal(self._operators(claims), expires=claims.expires)
        account = self.account(claims.subject)
        if claims.session is None or not account.exists:
            raise unauthorized(_ENDED, "invalid_token")
        session = self.session(claims.session)
        if session.account_id != claims.subject or not self.lives(claims.session, session):
            raise unauthorized(_ENDED, "invalid_token")
        actor = Actor(id=claims.subject, roles=frozenset(account.roles), tier=account.tier)
        return Principal(actor, claims.session)

    def _operators(self, claims: Claims) -> Actor:
        """Return whom the operator speaks for: who holds the installation's secret may say so."""
        if not claims.subject.startswith(SERVICE_PREFIX) and self.account(claims.subject).erased:
            raise unauthorized("this account was erased", "invalid_token")
        return Actor(id=claims.subject, roles=claims.roles, tier=claims.tier)

    def _of_api_token(self, credential: str) -> Principal:
        token_id, _, secret = credential.removeprefix(API_TOKEN).partition("_")
        if not _ID.fullmatch(token_id):  # nothing that anybody makes up is looked for
            raise unauthorized(_NOT_VALID, "invalid_token")
        token = self.token(token_id)
        account = self.account(token.account_id)
        if not hmac.compare_digest(token.token_hash, token_hash(secret)) or not token.is_valid(
            account, self._now()
        ):
            raise unauthorized(_NOT_VALID, "invalid_token")
        scopes = frozenset(token.scopes)
        actor = Actor(
            id=token.account_id, roles=_narrowed(account.roles, scopes), tier=account.tier, scopes=scopes
        )
        return Principal(actor, token=token_id)

    def lives(self, session_id: str, session: Session) -> bool:
        """Tell whether a session is good now."""
        account = self.account(session.account_id)
        return session.is_valid(account, self.credentials(session.account_id), session_id, self._now())

    def is_recent(self, session_id: str) -> bool:
        """Tell whether somebody signed in to this session a short while ago."""
        return self._now() - self.session(session_id).opened_at < RECENT_SECONDS * 1000

    def still(self, principal: Principal) -> bool:
        """Tell whether *principal* may still act as before: for who listens for long."""
        account = self.account(principal.actor.id)
        if principal.session is not None:
            alive = account.exists and self.lives(principal.session, self.session(principal.session))
            return alive and frozenset(account.roles) == principal.actor.roles
        if principal.token is not None:
            token = self.token(principal.token)
            same = _narrowed(account.roles, frozenset(token.scopes)) == principal.actor.roles
            return same and token.is_valid(account, self._now())
        return not account.erased and self._clock() < principal.expires

    def account(self, account_id: str) -> Account:
        """Return the account's state."""
        return cast("Account", self._state(account_stream(account_id)))

    def credentials(self, account_id: str) -> Credentials:
        """Return the state of what the account is signed in to with."""
        return cast("Credentials", self._state(credentials_stream(account_id)))

    def session(self, session_id: str) -> Session:
        """Return the session's state."""
        return cast("Session", self._state(session_stream(session_id)))

    def token(self, token_id: str) -> Token:
        """Return the API token's state."""
        return cast("Token", self._state(token_stream(token_id)))

    def api_token(self, token_id: str) -> tuple[str, str]:
        """Return the API token with this id and its hash: a repeated request gets the same one."""
        secret = self._secrets.keyed_hash("api-token", token_id) + self._secrets.keyed_hash(
            "api-token-2", token_id
        )
        return f"{API_TOKEN}{token_id}_{secret}", token_hash(secret)

    def _state(self, stream: str) -> Any:
        found = self._states.get(stream)
        if found is not None:
            return found
        appends = self._appends
        loaded = load(self._log, stream)
        state = loaded.state
        with self._lock:
            if loaded.version and appends == self._appends:  # else what was loaded may be the state of before
                if len(self._states) >= _KEPT:
                    self._states.clear()
                self._states[stream] = state
        return state

    def _appended(self, records: Sequence[Record]) -> None:
        streams = {record.stream for record in records if kind_name(record.stream) in _KINDS}
        if streams:
            with self._lock:
                self._appends += 1
                for stream in streams:
                    self._states.pop(stream, None)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def token_hash(secret: str) -> str:
    """Return what the log keeps of a token: it has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _narrowed(roles: Sequence[Role], scopes: frozenset[Scope]) -> frozenset[Role]:
    """Return the roles that a token of these scopes speaks with: an administrator's is a user's without the scope."""
    found = frozenset(roles)
    if Role.ADMIN in found and Scope.ADMIN not in scopes:
        return found - {Role.ADMIN} | {Role.USER}
    return found
