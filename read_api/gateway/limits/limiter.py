"""The port of the limiter: buckets of requests, and counted sockets."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from read_api.gateway.limits.gcra import Bucket, Decision

DEADLINE_SECONDS = 0.05
"""How long a limiter with a server may take for an answer."""


class LimiterAwayError(Exception):
    """The limiter's server does not answer in time."""


class LimiterSlowError(LimiterAwayError):
    """No answer within the deadline: it may come too late, or never."""


class Lease(Struct, frozen=True):
    """A counted socket: who holds it, and which of theirs it is."""

    key: str
    id: str


class Limiter(Protocol):
    """Counts. An adapter with a server raises LimiterAwayError from each method but `aclose`."""

    async def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take one request from all of *buckets*, or from none where one of them is empty."""
        ...

    async def enter(self, key: str, most: int) -> Lease | None:
        """Count a socket of *key*, or return None where it has *most* already."""
        ...

    async def leave(self, lease: Lease) -> None:
        """Count a socket no more."""
        ...

    async def aclose(self) -> None:
        """Let everything go."""
        ...
