"""The commands of accounts."""

from domain.actor import Role, Tier
from domain.command import Command
from domain.policy import Scope, administrator, anybody, signed_in


class RegisterAccount(Command, tag="account.register", rule=anybody(Scope.WRITE)):
    """Open an account; its address may count as *verified* from the start."""

    account_id: str
    email: str
    name: str
    password_hash: str
    email_claim: str
    name_claim: str
    verified: bool = True


class ChangeProfile(Command, tag="account.change_profile", rule=signed_in(Scope.ACCOUNT)):
    """Give the account this e-mail address and this name; None keeps the present one.

    A new address may count as *verified* from the start.
    """

    account_id: str
    email: str | None
    name: str | None
    email_claim: str | None
    name_claim: str | None
    verified: bool = True


class VerifyAddress(Command, tag="account.verify", rule=anybody(Scope.WRITE)):
    """Record that the account's address is its own: that of *email_claim*, which a mail has reached.

    Without *email_claim*, an administrator says so.
    """

    account_id: str
    email_claim: str | None


class ChangeStanding(Command, tag="account.change_standing", rule=administrator()):
    """Give the account these roles and this tier; None keeps the present ones."""

    account_id: str
    roles: tuple[Role, ...] | None
    tier: Tier | None


class EraseAccount(Command, tag="account.erase", rule=signed_in(Scope.ACCOUNT)):
    """Erase the person: the account ends, and its key and those of *authors* of commits are destroyed."""

    account_id: str
    authors: tuple[str, ...]


AccountCommand = RegisterAccount | ChangeProfile | VerifyAddress | ChangeStanding | EraseAccount
