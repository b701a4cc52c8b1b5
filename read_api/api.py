"""What the HTTP surface works with; the composition root fills it."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from commands.bus import CommandBus
from commands.intake.intake import Intake
from commands.log import EventLog
from projections.cache import Cache
from projections.progress import Progress
from projections.store import DocumentStore
from read_api.gateway.passwords import Passwords
from read_api.gateway.tokens import Tokens
from read_api.realtime.hub import Hub
from read_api.services import Queries


class Api(Struct, frozen=True, kw_only=True):
    """The parts behind the HTTP surface.

    *wait_seconds* bounds how long a query waits for its read models, *answer_seconds* how long a command waits for
    its outcome. *read_latest* tells that a query without a position sees every command acknowledged before it.
    *not_ready* names the parts that are not ready yet, *metrics* writes them for Prometheus.
    """

    log: EventLog
    bus: CommandBus
    intake: Intake
    progress: Progress
    store: DocumentStore
    queries: Queries
    tokens: Tokens
    passwords: Passwords
    hub: Hub
    cache: Cache
    past: Callable[[str, int], Queries]
    not_ready: Callable[[], list[str]]
    metrics: Callable[[], bytes]
    operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
    in_flight: set[str]
    models: tuple[str, ...]
    wait_seconds: float = 5.0
    answer_seconds: float = 10.0
    read_latest: bool = True
