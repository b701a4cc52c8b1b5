"""Quotas: how much an account may own, by its tier, and the refusal of what would pass them.

The owner of a project pays for everything in it, no matter who writes it.
"""

from typing import Final

from msgspec import Struct

from domain.actor import Tier
from domain.errors import ForbiddenError

CODE: Final = "quota_exceeded"
_GIB: Final = 1024**3
_SERVICE: Final = "service:"


class Amounts(Struct, frozen=True):
    """What an account owns, or what a command adds to it: projects, their files, and the bytes of these."""

    projects: int = 0
    files: int = 0
    bytes: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        """Return both together."""
        return Amounts(self.projects + other.projects, self.files + other.files, self.bytes + other.bytes)

    def __sub__(self, other: "Amounts") -> "Amounts":
        """Return what is left without *other*."""
        return Amounts(self.projects - other.projects, self.files - other.files, self.bytes - other.bytes)

    def without_losses(self) -> "Amounts":
        """Return these amounts with 0 for what is below it."""
        return Amounts(max(self.projects, 0), max(self.files, 0), max(self.bytes, 0))


NOTHING: Final = Amounts()


class Quotas(Struct, frozen=True):
    """How much an account may own: *most*, and so many *collaborators* in each of its projects."""

    most: Amounts
    collaborators: int


QUOTAS: Final[dict[Tier, Quotas | None]] = {
    Tier.FREE: Quotas(Amounts(projects=100, files=10_000, bytes=_GIB), collaborators=20),
    Tier.PRO: Quotas(Amounts(projects=1_000, files=100_000, bytes=10 * _GIB), collaborators=200),
    Tier.ENTERPRISE: None,
}
"""The quotas of each tier, None where there are none."""


def quotas_of(account_id: str, tier: Tier) -> Quotas | None:
    """Return the quotas of an account; None for one without, as services are."""
    return None if account_id.startswith(_SERVICE) else QUOTAS[tier]


def passed(used: Amounts, growth: Amounts, most: Amounts) -> str | None:
    """Return the name of the quota that *growth* would pass, None where there is room.

    What does not grow never passes its quota, not even where more than that is used already.
    """
    for name in ("projects", "files", "bytes"):
        added = getattr(growth, name)
        if added > 0 and getattr(used, name) + added > getattr(most, name):
            return name
    return None


_UNITS = {"projects": "projects", "files": "files", "bytes": "bytes of files"}
_LESS = {"projects": "delete projects", "files": "delete files", "bytes": "delete or shorten files"}


class Payer(Struct, frozen=True):
    """The account that pays for a command, and its quotas.

    With *told*, the sender may know what the account owns: it is theirs, or they administer the platform.
    """

    account: str
    tier: Tier
    quotas: Quotas
    told: bool = True


def exceeded(name: str, used: Amounts, growth: Amounts, payer: Payer) -> ForbiddenError:
    """Return the refusal of what would pass the quota *name* of *payer*."""
    unit, less = _UNITS[name], _LESS[name]
    if not payer.told:
        return ForbiddenError(
            f"this would pass the quota of {unit} of the project's owner: {less} in this project, or ask the "
            "owner to make room",
            code=CODE,
        )
    own, limit, added = getattr(used, name), getattr(payer.quotas.most, name), getattr(growth, name)
    return ForbiddenError(
        f"the tier {payer.tier} allows {limit:,} {unit}: the account that owns the project has {own:,}, and "
        f"this would add {added:,}. {less.capitalize()}, or ask an administrator for a larger tier",
        code=CODE,
    )


def too_many_collaborators(used: int, payer: Payer) -> ForbiddenError:
    """Return the refusal of another collaborator in a project that has *used*."""
    if not payer.told:
        return ForbiddenError(
            f"the project has {used:,} collaborators, and the quota of its owner allows no others: remove "
            "one first, or ask the owner to make room",
            code=CODE,
        )
    return ForbiddenError(
        f"the tier {payer.tier} allows {payer.quotas.collaborators:,} collaborators in a project, and this "
        f"one has {used:,}: remove one first, or ask an administrator for a larger tier",
        code=CODE,
    )
