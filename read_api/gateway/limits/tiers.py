"""The limits of each tier, in one table."""

from msgspec import Struct

from domain.actor import Actor, Tier
from domain.limits import COUNTED_CHANGES
from read_api.gateway.limits.gcra import Limit

DEFAULT = "default"
SIGN_IN = "sign-in"
FEEDBACK = "feedback"


class Allowance(Struct, frozen=True, kw_only=True):
    """A caller's limits: *requests* and those *running* at once (None: unlimited), and open *sockets*."""

    requests: Limit | None
    running: int | None
    sockets: int


ANONYMOUS = Allowance(requests=Limit(DEFAULT, 60, 10), running=None, sockets=5)
TIERS: dict[Tier, Allowance] = {
    Tier.FREE: Allowance(requests=Limit(DEFAULT, 300, 30), running=None, sockets=20),
    Tier.PRO: Allowance(requests=Limit(DEFAULT, 1_200, 100), running=None, sockets=100),
    Tier.ENTERPRISE: Allowance(requests=None, running=500, sockets=1_000),
}
SIGN_IN_REQUESTS = Limit(SIGN_IN, 30, 20)
"""The limit of `/api/v1/auth/*`, for each address and for each account."""

FEEDBACK_MESSAGES = Limit(FEEDBACK, 10, 10, 3_600)
"""The limit of feedback, for each account of whatever tier."""


def requests_of(changes: int) -> int:
    """Return as how many requests a command with so many changes of files counts."""
    return max(-(-changes // COUNTED_CHANGES), 1)


def allowance_of(actor: Actor) -> Allowance:
    """Return the limits of *actor*'s tier."""
    return ANONYMOUS if actor.is_anonymous else TIERS[actor.tier]


def limit_of(path: str) -> str | None:
    """Return the name of the limit that requests to a declared path count against, None for none."""
    if path.startswith("/api/v1/auth/"):
        return SIGN_IN
    return None if path.startswith(("/health/", "/metrics")) else DEFAULT
