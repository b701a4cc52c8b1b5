"""Who sends a request, and what that lets them do."""

from domain.actor import ANONYMOUS, Actor
from read_api.auth.identity import Identity
from read_api.auth.principals import RECENT_SECONDS, Principal
from read_api.auth.tokens import unauthorized
from read_api.problems import HttpError

NOBODY = Principal(ANONYMOUS)
_SERVICE = "service:"


class Caller:
    """The sender of a request; the token is read when it is first needed."""

    __slots__ = ("_authorization", "_identity", "_principal")

    def __init__(self, identity: Identity, authorization: str | None) -> None:
        """Read the token from the value of the `Authorization` header, None where the request has none."""
        self._identity = identity
        self._authorization = authorization
        self._principal: Principal | None = None

    def authenticate(self) -> Principal:
        """Return the principal of the token as it is now; raises HttpError 401 if the token is not valid."""
        if self._authorization is None:
            return NOBODY
        scheme, _, token = self._authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("send `Authorization: Bearer <access token>`", "invalid_token")
        return self._identity.principals.of(token.strip())

    @property
    def principal(self) -> Principal:
        """Return the principal of the token as it was when first read; raises as `authenticate` does."""
        if self._principal is None:
            self._principal = self.authenticate()
        return self._principal

    @property
    def known_account(self) -> str | None:
        """Return the id of the sender, for traces; None of nobody, and where the token was not read."""
        actor = None if self._principal is None else self._principal.actor
        return None if actor is None or actor.is_anonymous else actor.id

    @property
    def kind(self) -> str:
        """Return the kind of sender, for logs; `bearer` sent a token that was not read, or is refused."""
        if self._authorization is None:
            return "anonymous"
        if self._principal is None:
            return "bearer"
        return "service" if self._principal.actor.id.startswith(_SERVICE) else "account"

    @property
    def session(self) -> str | None:
        """Return the session of the access token, None for other tokens; raises as `authenticate` does."""
        return self.principal.session

    def is_still_authorized(self) -> bool:
        """Return whether the caller's credentials are still valid; long-lived connections poll this.

        Of a token that was never read there is nothing to check.
        """
        principal = self._principal
        return principal is None or self._identity.principals.is_still_valid(principal)

    def signed_in(self) -> Actor:
        """Return the sender; raises HttpError 401 where nobody is signed in."""
        actor = self.principal.actor
        if actor.is_anonymous:
            raise unauthorized("sign in and send the access token as `Authorization: Bearer <token>`")
        return actor

    def signed_in_recently(self) -> Actor:
        """Return the sender, who must have signed in within the last minutes; raises HttpError 401.

        An open or stolen session must not be enough to take over an account (RFC 9470).
        """
        actor, session = self.signed_in(), self.principal.session
        if actor.scopes is None and session is None:
            return actor  # the operator's own token: there is nothing to sign in to
        if session is None or not self._identity.principals.is_recent(session):
            raise HttpError(
                401,
                "insufficient_user_authentication",
                "sign in again with your password, and send the new access token",
                headers={
                    "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", '
                    f'error_description="sign in again", max_age="{RECENT_SECONDS}"'
                },
            )
        return actor
