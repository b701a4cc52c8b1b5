"""The limiter of this process: in memory where it serves alone, in Redis where other processes serve too."""

import structlog

from codepark.settings import Settings
from read_api.gateway.limits.fallback import GuardedLimiter
from read_api.gateway.limits.limiter import Limiter
from read_api.gateway.limits.limits import Limits
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.gateway.limits.redis import RedisLimiter, connect

logger = structlog.get_logger(__name__)


def build_limits(settings: Settings) -> Limits:
    """Return the limits that *settings* ask for; nothing is connected yet."""
    gateway = settings.gateway
    if not gateway.sign_in_limits:
        logger.warning("sign-ins are not limited")
    return Limits(_limiter(settings), tiers=gateway.rate_limits, sign_in=gateway.sign_in_limits)


def _limiter(settings: Settings) -> Limiter:
    if settings.redis is None:
        return MemoryLimiter()
    client = connect(settings.redis.sessions, settings.redis_ca_file)
    shared = RedisLimiter(client, settings.prefix, deadline=settings.gateway.limiter_seconds)
    return GuardedLimiter(shared, MemoryLimiter())


async def start_limits(limits: Limits) -> None:
    """Open the connection of a shared limiter; the server starts even while Redis is unavailable."""
    if isinstance(limits.limiter, GuardedLimiter):
        await limits.limiter.start()
