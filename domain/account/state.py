"""An account and a claim as their events left them."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.account.events import (
    AccountErased,
    AccountEvent,
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
    ClaimEvent,
    ClaimReleased,
    ClaimTaken,
)
from domain.actor import Role, Tier


class Account(Struct, frozen=True, kw_only=True):
    """An account as its events left it.

    The password's hash is here because a login is verified against it. It is personal data, which a snapshot would
    keep past its erasure: accounts are never snapshotted, their streams are short.
    """

    exists: bool
    erased: bool = False
    email_claim: str
    name_claim: str
    password_hash: str
    roles: tuple[Role, ...]
    tier: Tier


class Claim(Struct, frozen=True, kw_only=True):
    """Who holds an e-mail address or a name; None where nobody does."""

    account_id: str | None


INITIAL = Account(exists=False, email_claim="", name_claim="", password_hash="", roles=(), tier=Tier.FREE)
UNCLAIMED = Claim(account_id=None)


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
            )
        case AccountProfileChanged():
            return replace(
                account,
                email_claim=account.email_claim if event.email_claim is None else event.email_claim,
                name_claim=account.name_claim if event.name_claim is None else event.name_claim,
            )
        case AccountStandingChanged(roles=roles, tier=tier):
            return replace(account, roles=roles, tier=tier)
        case AccountErased():
            return replace(INITIAL, erased=True)
        case _:
            assert_never(event)


def evolve_claim(claim: Claim, event: ClaimEvent) -> Claim:  # noqa: ARG001 # each event says all there is to know
    """Return the claim after *event*."""
    match event:
        case ClaimTaken(account_id=account_id):
            return Claim(account_id=account_id)
        case ClaimReleased():
            return UNCLAIMED
        case _:
            assert_never(event)
