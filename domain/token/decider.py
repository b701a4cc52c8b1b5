"""The decider of API tokens."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.account.decider import Account, require_account
from domain.actor import Actor
from domain.credentials.decider import Credentials
from domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from domain.limits import NAME_LENGTH
from domain.policy import Scope, permit
from domain.text import checked_line
from domain.token.commands import CreateToken, RecordOperatorToken, RevokeToken, TokenCommand
from domain.token.events import OperatorTokenUsed, TokenCreated, TokenEvent, TokenRevoked


class Token(Struct, frozen=True, kw_only=True):
    """The state of a token."""

    account_id: str
    token_hash: str
    scopes: tuple[Scope, ...]
    expires_at: int
    revoked: bool
    epoch: int = 0

    def is_valid(self, account: Account, credentials: Credentials, at: int) -> bool:
        """Return whether the token is valid at the time *at* (milliseconds since the epoch)."""
        return account.exists and self.is_kept(credentials) and at < self.expires_at

    def is_kept(self, credentials: Credentials) -> bool:
        """Return whether the token was not revoked, neither alone nor together with all others."""
        return not self.revoked and self.epoch == credentials.token_epoch


INITIAL = Token(account_id="", token_hash="", scopes=(), expires_at=0, revoked=False)  # none yet


def decide(
    account: Account, credentials: Credentials, token: Token, command: TokenCommand, actor: Actor
) -> tuple[TokenEvent, ...]:
    """Return the events that *command* causes, or refuse it.

    *account* and *credentials* are those of the account that the command names.
    """
    permit(actor, command.NAME)
    match command:
        case CreateToken():
            return _create(account, credentials, token, command, actor)
        case RevokeToken(token_id=token_id, account_id=account_id):
            if not token.account_id or token.account_id != account_id:
                raise NotFoundError("there is no such token", code="token_not_found")
            if actor.id != account_id:
                permit(actor, "account.administer")
            return () if token.revoked else (TokenRevoked(token_id=token_id, account_id=account_id),)
        case _:
            assert_never(command)


def decide_record(token: Token, command: RecordOperatorToken, actor: Actor) -> tuple[OperatorTokenUsed, ...]:
    """Return the event of the first use of an operator's token, none for a later one."""
    permit(actor, command.NAME)
    if token.expires_at:
        return ()
    used = OperatorTokenUsed(
        token_id=command.token_id,
        principal_id=command.principal_id,
        operated_by=command.operated_by,
        roles=command.roles,
        tier=command.tier,
        issued_at=command.issued_at,
        expires_at=command.expires_at,
    )
    return (used,)


def _create(
    account: Account, credentials: Credentials, token: Token, command: CreateToken, actor: Actor
) -> tuple[TokenEvent, ...]:
    if actor.id != command.account_id:
        raise ForbiddenError("an account creates tokens for itself alone", code="forbidden")
    require_account(account)
    if command.epoch is not None and command.epoch != credentials.epoch:
        raise ForbiddenError("your credentials have just changed: sign in again", code="session_ended")
    if token.account_id:
        raise ConflictError("there is a token with this id already", code="token_exists")
    if not command.scopes:
        raise InvalidError("choose at least one scope", pointer="/scopes")
    if actor.scopes is not None and not actor.scopes.issuperset(command.scopes):
        raise ForbiddenError("a token cannot create one with more scopes than it has", code="scope_required")
    created = TokenCreated(
        token_id=command.token_id,
        account_id=command.account_id,
        name=checked_line(command.name, pointer="/name", longest=NAME_LENGTH),
        token_hash=command.token_hash,
        scopes=tuple(scope for scope in Scope if scope in command.scopes),
        expires_at=command.expires_at,
        epoch=credentials.token_epoch,
    )
    return (created,)


def evolve(token: Token, event: TokenEvent) -> Token:
    """Return the token after *event*."""
    match event:
        case TokenCreated():
            return Token(
                account_id=event.account_id,
                token_hash=event.token_hash,
                scopes=event.scopes,
                expires_at=event.expires_at,
                revoked=False,
                epoch=event.epoch,
            )
        case OperatorTokenUsed(expires_at=expires_at):  # without an account, nobody signs in with its id
            return replace(INITIAL, expires_at=expires_at)
        case TokenRevoked():
            return replace(token, revoked=True)
        case _:
            assert_never(event)
