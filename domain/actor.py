"""The actors who issue commands, with their roles and tiers."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """A role that an account has on the whole platform."""

    USER = "user"
    ADMIN = "admin"
    AUDITOR = "auditor"
    ANALYST = "analyst"


class Tier(StrEnum):
    """The plan of an account, which decides its limits."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Actor(Struct, frozen=True):
    """The principal of a command: an account, a service (`service:cli`) or nobody.

    *scopes* are those of an API token; None for a session, which may do all that its account may. An account
    whose e-mail address is not *verified* may do little. *operated_by* is the principal that acts for this
    one; None where nobody does.
    """

    id: str
    roles: frozenset[Role] = frozenset()
    tier: Tier = Tier.FREE
    scopes: frozenset[str] | None = None
    verified: bool = True
    operated_by: str | None = None

    @property
    def is_admin(self) -> bool:
        """Return whether the actor administers the platform."""
        return Role.ADMIN in self.roles

    @property
    def is_service(self) -> bool:
        """Return whether the actor is a service, and no account."""
        return self.id.startswith("service:")

    @property
    def sees_all(self) -> bool:
        """Return whether the actor may read every project's history."""
        return Role.ADMIN in self.roles or Role.AUDITOR in self.roles

    @property
    def analyses(self) -> bool:
        """Return whether the actor may read the whole history, without personal data."""
        return Role.ANALYST in self.roles

    @property
    def only_analyses(self) -> bool:
        """Return whether analyst is the actor's only role: then no history shows them personal data."""
        return self.roles == frozenset({Role.ANALYST})

    @property
    def is_anonymous(self) -> bool:
        """Return whether the request came without a token."""
        return not self.id


ANONYMOUS = Actor(id="")
JOBS = Actor(id="service:jobs", roles=frozenset({Role.ADMIN}), tier=Tier.ENTERPRISE)
"""Whose commands those of background jobs are."""

SERVICE = Actor(id="service:cli", roles=frozenset(Role), tier=Tier.ENTERPRISE)
