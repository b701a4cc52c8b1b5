"""The events of accounts and of claims."""

from domain.actor import Role, Tier
from domain.event import Event, Personal, Secret
from domain.upcasting import upcaster


class AccountRegistered(Event, topic="account.registered", version=2, subject="account_id"):
    """A person opened an account. The claims are keyed hashes of the e-mail address and the name.

    The address counts as *verified* where the installation sends no mail.
    """

    account_id: str
    email: Personal[str]
    name: Personal[str]
    password_hash: Secret[str]
    email_claim: str
    name_claim: str
    roles: tuple[Role, ...]
    tier: Tier
    verified: bool


@upcaster("account.registered", from_version=1)
def _registered_before_verification(data: dict[str, object]) -> dict[str, object]:
    return {**data, "verified": True}


class AccountProfileChanged(Event, topic="account.profile_changed", version=2, subject="account_id"):
    """The account got another e-mail address, another name or both; None where it stayed the same.

    *verified* says whether the new address counts as verified; None where the address stayed the same.
    """

    account_id: str
    email: Personal[str | None]
    name: Personal[str | None]
    email_claim: str | None
    name_claim: str | None
    verified: bool | None


@upcaster("account.profile_changed", from_version=1)
def _changed_before_verification(data: dict[str, object]) -> dict[str, object]:
    return {**data, "verified": None if data["emailClaim"] is None else True}


class AddressVerified(
    Event, topic="account.address_verified", version=1, withheld="how somebody is reached is their own matter"
):
    """The account's address is its own: it sent back what was mailed there, or an administrator says so."""

    account_id: str


class AccountStandingChanged(Event, topic="account.standing_changed", version=1):
    """An administrator gave the account other roles or another tier."""

    account_id: str
    roles: tuple[Role, ...]
    tier: Tier


class AccountErased(Event, topic="account.erased", version=1):
    """The person was erased: the keys of the account and of the *authors* of commits are destroyed."""

    account_id: str
    authors: tuple[str, ...]


_WITHHELD = "says nothing that the account's own events do not say"


class ClaimTaken(Event, topic="claim.taken", version=1, withheld=_WITHHELD):
    """An account took an e-mail address or a name."""

    account_id: str


class ClaimReleased(Event, topic="claim.released", version=1, withheld=_WITHHELD):
    """An account released an e-mail address or a name."""

    account_id: str


AccountEvent = (
    AccountRegistered | AccountProfileChanged | AddressVerified | AccountStandingChanged | AccountErased
)
ClaimEvent = ClaimTaken | ClaimReleased
