"""What the HTTP surface works with; the composition root fills it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from msgspec import Struct

from commands.bus import Bus
from commands.intake import Intake
from commands.log import EventLog
from commands.outcomes import Accepted
from commands.partitions import Logs
from domain.record import Record
from projections.cache import Cache
from projections.progress import Progress
from projections.store import DocumentStore
from read_api.auth.identity import Identity
from read_api.gateway.limits.limits import Limits
from read_api.gateway.settings import GatewaySettings
from read_api.graphql.settings import GraphQLSettings
from read_api.query_services import Queries
from read_api.realtime.events import RenderedEvent
from read_api.realtime.hub import Hub


class Left(Protocol):
    """Answers what a command left behind, None where only the read models can."""

    async def __call__(self, done: Accepted, ask: Callable[[Queries], Any], /) -> Any:
        """Ask about what *done* changed."""
        ...


class Api(Struct, frozen=True, kw_only=True):
    """The parts behind the HTTP surface.

    *wait_seconds* bounds how long a query waits for its read models, *answer_seconds* how long a command waits for
    its outcome. *read_latest* tells that a query without a position sees every command acknowledged before it.
    *asyncapi* is the document of the topics and live channels. *left* answers what a command left behind without the read models, None where it cannot; *in_threads* tells that
    queries go over a network, and so may not be asked in the event loop.
    *published* is what analysts see of a record, *published_again* of an event that is ready to be sent.
    *erased* waits until an account that was erased has left no trace, and tells whether it came to that in time.
    *limits* says how often and how many at once, *gateway* is how the edge is set.
    *not_ready* names the parts that are not ready yet, *metrics* writes them for Prometheus.
    """

    logs: Logs[Any]
    bus: Bus
    intake: Intake
    progress: Progress
    store: DocumentStore
    queries: Queries
    identity: Identity
    published: Callable[[EventLog, Record], RenderedEvent | None]
    published_again: Callable[[RenderedEvent], RenderedEvent | None]
    erased: Callable[[str], Awaitable[bool]]
    hub: Hub
    limits: Limits
    cache: Cache
    past: Callable[[str, int], Queries]
    not_ready: Callable[[], list[str]]
    metrics: Callable[[], bytes]
    operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
    in_flight: set[str]
    models: tuple[str, ...]
    asyncapi: bytes = b"{}"
    graphql: GraphQLSettings = GraphQLSettings()
    left: Left | None = None
    gateway: GatewaySettings = GatewaySettings()
    in_threads: bool = False
    wait_seconds: float = 5.0
    answer_seconds: float = 10.0
    read_latest: bool = True
