"""What each tier may: the one table of the limits."""

from msgspec import Struct

from domain.actor import Actor, Tier
from read_api.gateway.limits.gcra import Limit

DEFAULT = "default"
SIGN_IN = "sign-in"


class Allowance(Struct, frozen=True, kw_only=True):
    """What somebody may: *requests* (None: as many as they like), *under_way* at once (None: any), *sockets*."""

    requests: Limit | None
    under_way: int | None
    sockets: int


ANONYMOUS = Allowance(requests=Limit(DEFAULT, 60, 10), under_way=None, sockets=5)
TIERS: dict[Tier, Allowance] = {
    Tier.FREE: Allowance(requests=Limit(DEFAULT, 300, 30), under_way=None, sockets=20),
    Tier.PRO: Allowance(requests=Limit(DEFAULT, 1_200, 100), under_way=None, sockets=100),
    Tier.ENTERPRISE: Allowance(requests=None, under_way=500, sockets=1_000),
}
SIGN_IN_REQUESTS = Limit(SIGN_IN, 30, 20)
"""Of `/api/v1/auth/*`: for each address, and for each account."""


def allowance_of(actor: Actor) -> Allowance:
    """Return what *actor* may."""
    return ANONYMOUS if actor.is_anonymous else TIERS[actor.tier]


def limit_of(path: str) -> str | None:
    """Return which limit the requests of a declared path count against; None: they are not counted."""
    if path.startswith("/api/v1/auth/"):
        return SIGN_IN
    return None if path.startswith(("/health/", "/metrics")) else DEFAULT
