"""The decider of accounts, and of the claims that keep e-mail addresses and names unique.

An account and its claims are streams of one partition, so that one command changes them together.
"""

import re
from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.account.commands import (
    ChangeProfile,
    ChangeStanding,
    EraseAccount,
    RegisterAccount,
    VerifyAddress,
)
from domain.account.events import (
    AccountErased,
    AccountEvent,
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
    AddressVerified,
    ClaimEvent,
    ClaimReleased,
    ClaimTaken,
)
from domain.actor import Actor, Role, Tier
from domain.addresses import checked_address
from domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from domain.limits import HANDLE
from domain.policy import permit

_HANDLE = re.compile(HANDLE)


class Account(Struct, frozen=True, kw_only=True):
    """The state of an account.

    A login is verified against the password's hash. The hash is personal data, which a snapshot would keep
    after an erasure: accounts have no snapshots; their streams are short.
    """

    exists: bool
    erased: bool = False
    email_claim: str
    name_claim: str
    password_hash: str
    roles: tuple[Role, ...]
    tier: Tier
    verified: bool = True


class Claim(Struct, frozen=True, kw_only=True):
    """The account that holds an e-mail address or a name; None where nobody does."""

    account_id: str | None


INITIAL = Account(exists=False, email_claim="", name_claim="", password_hash="", roles=(), tier=Tier.FREE)
UNCLAIMED = Claim(account_id=None)


class AccountDecision(Struct, frozen=True, kw_only=True):
    """The events of one command: those of the account, and those of claims, each with its claim."""

    account: tuple[AccountEvent, ...]
    claims: tuple[tuple[str, ClaimEvent], ...]


UNCHANGED = AccountDecision(account=(), claims=())


def decide_register(
    account: Account,
    email_claim: Claim,
    name_claim: Claim,
    command: RegisterAccount,
    actor: Actor,  # noqa: ARG001 # anybody may register
) -> AccountDecision:
    """Return the events that *command* causes, or refuse it; the claims are those that it asks for."""
    if account.exists:
        if (account.email_claim, account.name_claim) == (command.email_claim, command.name_claim):
            return UNCHANGED
        raise ConflictError("there is an account with this id already", code="account_exists")
    if account.erased:
        raise ConflictError("this account was erased: register a new one", code="account_erased")
    email, name = checked_address(command.email), _name(command.name)
    _require_free(email_claim, name_claim)
    registered = AccountRegistered(
        account_id=command.account_id,
        email=email,
        name=name,
        password_hash=command.password_hash,
        email_claim=command.email_claim,
        name_claim=command.name_claim,
        roles=(Role.USER,),
        tier=Tier.FREE,
        verified=command.verified,
    )
    taken = ClaimTaken(account_id=command.account_id)
    return AccountDecision(
        account=(registered,), claims=((command.email_claim, taken), (command.name_claim, taken))
    )


def decide_profile(
    account: Account, claims: Mapping[str, Claim], command: ChangeProfile, actor: Actor
) -> AccountDecision:
    """Return the events that *command* causes, or refuse it; *claims* holds those that it names.

    A claim does not depend on letter case, and the state has no plain text to compare: a name or an address
    that differs from the present one only in letter case counts as unchanged.
    """
    _require_self_or_admin(command.account_id, actor, command.NAME)
    require_account(account)
    email = None if command.email is None else checked_address(command.email)
    name = None if command.name is None else _name(command.name)
    email_claim = command.email_claim if email is not None else None
    name_claim = command.name_claim if name is not None else None
    if email_claim == account.email_claim:
        email_claim = None
    if name_claim == account.name_claim:
        name_claim = None
    if email_claim is None and name_claim is None:
        return UNCHANGED
    _require_free(
        UNCLAIMED if email_claim is None else claims[email_claim],
        UNCLAIMED if name_claim is None else claims[name_claim],
    )
    changed = AccountProfileChanged(
        account_id=command.account_id,
        email=None if email_claim is None else email,
        name=None if name_claim is None else name,
        email_claim=email_claim,
        name_claim=name_claim,
        verified=None if email_claim is None else command.verified,
    )
    moved = (
        *_moved(command.account_id, account.email_claim, email_claim),
        *_moved(command.account_id, account.name_claim, name_claim),
    )
    return AccountDecision(account=(changed,), claims=moved)


def decide_verify(account: Account, command: VerifyAddress, actor: Actor) -> tuple[AddressVerified, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME if command.email_claim is not None else "account.administer")
    require_account(account)
    if command.email_claim is not None and command.email_claim != account.email_claim:
        raise ForbiddenError(
            "this token belongs to an address that the account no longer has: use the newest mail",
            code="verification_outdated",
        )
    return proven_address(account, command.account_id)


def proven_address(account: Account, account_id: str) -> tuple[AddressVerified, ...]:
    """Return the event that records that *account* owns its address; none where that is known."""
    return () if account.verified else (AddressVerified(account_id=account_id),)


def decide_standing(
    account: Account, command: ChangeStanding, actor: Actor
) -> tuple[AccountStandingChanged, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME)
    require_account(account)
    roles = account.roles if command.roles is None else tuple(r for r in Role if r in command.roles)
    if not roles:
        raise InvalidError("choose at least one role", pointer="/roles")
    tier = command.tier or account.tier
    if (roles, tier) == (account.roles, account.tier):
        return ()
    return (AccountStandingChanged(account_id=command.account_id, roles=roles, tier=tier),)


def decide_erase(account: Account, command: EraseAccount, actor: Actor) -> AccountDecision:
    """Return the events that *command* causes, or refuse it; it frees the e-mail address and the name."""
    _require_self_or_admin(command.account_id, actor, command.NAME)
    if account.erased:
        return UNCHANGED
    require_account(account)
    released = ClaimReleased(account_id=command.account_id)
    return AccountDecision(
        account=(AccountErased(account_id=command.account_id, authors=command.authors),),
        claims=((account.email_claim, released), (account.name_claim, released)),
    )


def evolve(account: Account, event: AccountEvent) -> Account:
    """Return the account after *event*."""
    match event:
        case AccountRegistered():
            return Account(
                exists=True,
                email_claim=event.email_claim,
                name_claim=event.name_claim,
                password_hash=event.password_hash,
                roles=event.roles,
                tier=event.tier,
                verified=event.verified,
            )
        case AccountProfileChanged():
            return replace(
                account,
                email_claim=account.email_claim if event.email_claim is None else event.email_claim,
                name_claim=account.name_claim if event.name_claim is None else event.name_claim,
                verified=account.verified if event.verified is None else event.verified,
            )
        case AddressVerified():
            return replace(account, verified=True)
        case AccountStandingChanged(roles=roles, tier=tier):
            return replace(account, roles=roles, tier=tier)
        case AccountErased():
            return replace(INITIAL, erased=True)
        case _:
            assert_never(event)


def evolve_claim(claim: Claim, event: ClaimEvent) -> Claim:  # noqa: ARG001 # an event determines the state alone
    """Return the claim after *event*."""
    match event:
        case ClaimTaken(account_id=account_id):
            return Claim(account_id=account_id)
        case ClaimReleased():
            return UNCLAIMED
        case _:
            assert_never(event)


def _moved(account_id: str, old: str, new: str | None) -> tuple[tuple[str, ClaimEvent], ...]:
    if new is None:
        return ()
    return ((new, ClaimTaken(account_id=account_id)), (old, ClaimReleased(account_id=account_id)))


def _require_free(email: Claim, name: Claim) -> None:
    if email.account_id is not None:
        raise ConflictError(
            "this e-mail address has an account already", code="email_taken", pointer="/email"
        )
    if name.account_id is not None:
        raise ConflictError("this name is taken: choose another", code="name_taken", pointer="/name")


def _require_self_or_admin(account_id: str, actor: Actor, action: str) -> None:
    permit(actor, action if actor.id == account_id else "account.administer")


def require_account(account: Account) -> None:
    """Refuse an account that does not exist, or that was erased."""
    if not account.exists:
        raise NotFoundError("there is no such account", code="account_not_found")


def _name(value: str) -> str:
    if _HANDLE.fullmatch(value) is None:
        raise InvalidError(
            "write a name of 1 to 39 letters (A-Z), digits or hyphens that does not begin with a hyphen",
            pointer="/name",
        )
    return value
