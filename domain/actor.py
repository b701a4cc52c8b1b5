"""Who issues a command."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What an account may do on the whole platform."""

    USER = "user"
    ADMIN = "admin"
    AUDITOR = "auditor"
    ANALYST = "analyst"


class Tier(StrEnum):
    """What an account pays for."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Actor(Struct, frozen=True):
    """The principal of a command: an account, a service (`service:cli`) or nobody."""

    id: str
    roles: frozenset[Role] = frozenset()
    tier: Tier = Tier.FREE

    @property
    def is_admin(self) -> bool:
        """Tell whether the actor administers the platform."""
        return Role.ADMIN in self.roles

    @property
    def sees_all(self) -> bool:
        """Tell whether the actor may read every project's history."""
        return Role.ADMIN in self.roles or Role.AUDITOR in self.roles

    @property
    def is_anonymous(self) -> bool:
        """Tell whether nobody has signed in."""
        return not self.id


ANONYMOUS = Actor(id="")
SERVICE = Actor(id="service:cli", roles=frozenset(Role), tier=Tier.ENTERPRISE)
