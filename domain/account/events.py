"""The events of accounts and of claims."""

from domain.actor import Role, Tier
from domain.event import Event, Personal, Secret


class AccountRegistered(Event, topic="account.registered", version=1, subject="account_id"):
    """A person opened an account. The claims are keyed hashes of the e-mail address and the name."""

    account_id: str
    email: Personal[str]
    name: Personal[str]
    password_hash: Secret[str]
    email_claim: str
    name_claim: str
    roles: tuple[Role, ...]
    tier: Tier


class AccountProfileChanged(Event, topic="account.profile_changed", version=1, subject="account_id"):
    """The account got another e-mail address, another name or both; None where it stayed the same."""

    account_id: str
    email: Personal[str | None]
    name: Personal[str | None]
    email_claim: str | None
    name_claim: str | None


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


AccountEvent = AccountRegistered | AccountProfileChanged | AccountStandingChanged | AccountErased
ClaimEvent = ClaimTaken | ClaimReleased
