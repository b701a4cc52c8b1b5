"""The port of a limiter: buckets of requests, and counted sockets (live connections)."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from read_api.gateway.limits.gcra import Bucket, Decision

DEADLINE_SECONDS = 0.05
"""How long a limiter waits for its server's answer."""


class LimiterUnavailableError(Exception):
    """The limiter's server cannot be reached, or does not answer in time."""


class LimiterTimeoutError(LimiterUnavailableError):
    """The limiter's server did not answer before the deadline."""


class Lease(Struct, frozen=True):
    """A counted socket: the key that holds it, and its id."""

    key: str
    id: str


class Limiter(Protocol):
    """Counts requests and sockets. With a server, all but `aclose` raise LimiterUnavailableError."""

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take requests from all of *buckets*, or from none where one of them has too few."""
        ...

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*; return None where it has *most* already."""
        ...

    async def leave(self, lease: Lease) -> None:
        """Stop counting a socket."""
        ...

    async def aclose(self) -> None:
        """Stop tasks and close connections."""
        ...
