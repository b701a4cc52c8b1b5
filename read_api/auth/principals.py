"""Resolve a credential to a principal from the log's current state, so that a revocation counts at once."""

import hashlib
import hmac
import math
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast, get_args

from msgspec import Struct

from commands.aggregates import kind_name
from commands.log import EventLog
from commands.secrets import Secrets
from commands.unit_of_work import load
from domain.account.decider import Account
from domain.account.events import AccountEvent
from domain.actor import Actor, Role
from domain.credentials.decider import Credentials
from domain.credentials.events import CredentialsEvent
from domain.identifiers import account_stream, credentials_stream, session_stream, token_stream
from domain.policy import Scope
from domain.record import Record
from domain.session.decider import Session
from domain.session.events import SessionEvent
from domain.token.decider import Token
from domain.token.events import TokenEvent
from read_api.auth.tokens import SERVICE_PREFIX, Claims, Tokens, unauthorized

API_TOKEN = "cp_"  # noqa: S105 # what API tokens begin with
_TOPICS = frozenset(
    event.TOPIC
    for events in (AccountEvent, CredentialsEvent, SessionEvent, TokenEvent)
    for event in get_args(events)
)
_KINDS = frozenset({"account", "credentials", "session", "token"})
_MOST_STATES = 50_000
RECENT_SECONDS = 15 * 60
"""For how long after signing in a session may change the account's credentials."""

_UNVERIFIED_ROLES = frozenset({Role.USER})
_MOST_USED = 10_000
_LONGEST = 4_096
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_VALID = "this token is not valid: it was revoked, or has expired"
_ENDED = "the session has ended: sign in again"


class Principal(Struct, frozen=True):
    """The actor of a request, and the session or the API token that it uses; an operator's token has neither.

    *issued* and *expires* are the times of an operator's token, in seconds since the epoch.
    """

    actor: Actor
    session: str | None = None
    token: str | None = None
    expires: float = math.inf
    issued: float = math.inf


class Principals:
    """Resolve credentials to principals.

    The states of accounts, credentials, sessions and API tokens come from the copy of the log on this
    machine; every process that answers requests has one. A state is cached until an event of its stream is
    appended. So a revocation counts at once, and no other server is asked.
    """

    def __init__(
        self,
        log: EventLog,
        tokens: Tokens,
        secrets: Secrets,
        clock: Callable[[], float] = time.time,
        *,
        verifies: bool = False,
    ) -> None:
        """Read from *log*, which holds the accounts; *clock* returns seconds since the epoch.

        With *verifies*, an account whose address is not verified may do little.
        """
        self._log = log
        self._tokens = tokens
        self._secrets = secrets
        self._clock = clock
        self._verifies = verifies
        self._used: set[str] = set()
        self.on_operator_token: Callable[[Claims], None] = lambda _: None
        self._states: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._appends = 0
        log.on_append(self._appended, _TOPICS)

    def of(self, credential: str) -> Principal:
        """Return the principal of *credential*; raises HttpError 401, and LogUnavailableError."""
        if len(credential) > _LONGEST:
            raise unauthorized(
                f"this token is not valid: it is longer than {_LONGEST} characters", "invalid_token"
            )
        if credential.startswith(API_TOKEN):
            return self._of_api_token(credential)
        claims = self._tokens.access(credential)
        if claims.operator:
            actor = self._operator_actor(claims)
            self._note(claims)
            return Principal(actor, expires=claims.expires, issued=claims.issued)
        account = self.account(claims.subject)
        if claims.session is None or not account.exists:
            raise unauthorized(_ENDED, "invalid_token")
        session = self.session(claims.session)
        if session.account_id != claims.subject or not self.lives(claims.session, session):
            raise unauthorized(_ENDED, "invalid_token")
        return Principal(self._actor(claims.subject, account), claims.session)

    def _actor(self, account_id: str, account: Account, scopes: frozenset[Scope] | None = None) -> Actor:
        verified = account.verified or not self._verifies
        roles = frozenset(account.roles) if verified else _UNVERIFIED_ROLES
        if scopes is not None:
            roles = _narrowed(roles, scopes)
        return Actor(id=account_id, roles=roles, tier=account.tier, scopes=scopes, verified=verified)

    def _note(self, claims: Claims) -> None:
        """Report the first use of an operator's token to `on_operator_token`, once in this process."""
        if claims.token_id not in self._used:
            if len(self._used) >= _MOST_USED:
                self._used.clear()
            self._used.add(claims.token_id)
            self.on_operator_token(claims)

    def forget_use(self, token_id: str) -> None:
        """Report the next use of an operator's token again: this one could not be recorded."""
        self._used.discard(token_id)

    def _operator_actor(self, claims: Claims) -> Actor:
        """Return the actor that the operator's token names: its roles and tier are taken as they stand."""
        if not claims.subject.startswith(SERVICE_PREFIX) and self.account(claims.subject).erased:
            raise unauthorized("this account was erased", "invalid_token")
        return Actor(id=claims.subject, roles=claims.roles, tier=claims.tier, operated_by=claims.operated_by)

    def _of_api_token(self, credential: str) -> Principal:
        token_id, _, secret = credential.removeprefix(API_TOKEN).partition("_")
        if not _ID.fullmatch(token_id):  # a made-up id is not looked up
            raise unauthorized(_NOT_VALID, "invalid_token")
        token = self.token(token_id)
        account = self.account(token.account_id)
        if not hmac.compare_digest(token.token_hash, token_hash(secret)) or not token.is_valid(
            account, self.credentials(token.account_id), self._now()
        ):
            raise unauthorized(_NOT_VALID, "invalid_token")
        actor = self._actor(token.account_id, account, frozenset(token.scopes))
        return Principal(actor, token=token_id)

    def lives(self, session_id: str, session: Session) -> bool:
        """Return whether a session is valid now."""
        account = self.account(session.account_id)
        return session.is_valid(account, self.credentials(session.account_id), session_id, self._now())

    def is_recent(self, session_id: str) -> bool:
        """Return whether this session began within the last 15 minutes."""
        return self._now() - self.session(session_id).opened_at < RECENT_SECONDS * 1000

    def is_still_valid(self, principal: Principal) -> bool:
        """Return whether *principal* is valid and has the same roles; long-lived connections poll this."""
        account_id = principal.actor.id
        account = self.account(account_id)
        if principal.session is not None:
            alive = account.exists and self.lives(principal.session, self.session(principal.session))
            return alive and _same_rights(self._actor(account_id, account), principal.actor)
        if principal.token is not None:
            token = self.token(principal.token)
            now = self._actor(account_id, account, frozenset(token.scopes))
            valid = token.is_valid(account, self.credentials(account_id), self._now())
            return valid and _same_rights(now, principal.actor)
        return (
            not account.erased
            and self._clock() < principal.expires
            and self._tokens.is_current(principal.issued)
        )

    def keeps_token(self, token_id: str) -> bool:
        """Return whether an API token was not revoked, neither alone nor together with all others."""
        token = self.token(token_id)
        return token.is_kept(self.credentials(token.account_id))

    def account(self, account_id: str) -> Account:
        """Return the account's state."""
        return cast("Account", self._state(account_stream(account_id)))

    def credentials(self, account_id: str) -> Credentials:
        """Return the state of the account's credentials."""
        return cast("Credentials", self._state(credentials_stream(account_id)))

    def session(self, session_id: str) -> Session:
        """Return the session's state."""
        return cast("Session", self._state(session_stream(session_id)))

    def token(self, token_id: str) -> Token:
        """Return the API token's state."""
        return cast("Token", self._state(token_stream(token_id)))

    def api_token(self, token_id: str) -> tuple[str, str]:
        """Return the API token with this id, and its hash; the same id gives the same token each time."""
        secret = self._secrets.keyed_hash("api-token", token_id) + self._secrets.keyed_hash(
            "api-token-2", token_id
        )
        return f"{API_TOKEN}{token_id}_{secret}", token_hash(secret)

    def _state(self, stream: str) -> Any:
        cached = self._states.get(stream)
        if cached is not None:
            return cached
        appends = self._appends
        loaded = load(self._log, stream)
        state = loaded.state
        with self._lock:
            if loaded.version and appends == self._appends:  # otherwise an event may have come after the load
                if len(self._states) >= _MOST_STATES:
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
    """Return the hash of a token that the log stores; its 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _narrowed(roles: frozenset[Role], scopes: frozenset[Scope]) -> frozenset[Role]:
    """Return the roles of a token: an administrator's token without the scope `admin` acts as a user's."""
    if Role.ADMIN in roles and Scope.ADMIN not in scopes:
        return roles - {Role.ADMIN} | {Role.USER}
    return roles


def _same_rights(now: Actor, before: Actor) -> bool:
    return (now.roles, now.verified) == (before.roles, before.verified)
