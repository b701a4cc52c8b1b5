"""The parts behind the HTTP surface; the composition root puts them in."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

from msgspec import Struct

from commands.bus import Bus
from commands.intake import Intake
from commands.log import EventLog
from commands.partitions import Logs
from domain.record import Record
from jobs.queue import JobQueue, no_jobs
from projections.cache import Cache
from projections.progress import Progress
from read_api.auth.identity import Identity
from read_api.gateway.commands import Commands
from read_api.gateway.consistency import Consistency
from read_api.gateway.hidden_reviews import HiddenReviews
from read_api.gateway.limits.limits import Limits
from read_api.gateway.quotas.guard import QuotaGuard
from read_api.gateway.settings import GatewaySettings
from read_api.graphql.settings import GraphQLSettings
from read_api.past_answers import PastAnswers
from read_api.query_services import ChangedResource, Queries
from read_api.realtime.events import RenderedEvent
from read_api.realtime.hub import Hub
from read_api.turns import Turns


class MetricsWriter(Protocol):
    """Writes the metrics of this process, and of those that share its port."""

    async def start(self) -> None:
        """Let the other processes ask this one."""
        ...

    async def stop(self) -> None:
        """Answer no other process any more."""
        ...

    async def write(self, accept: str, *, private: bool = False) -> tuple[bytes, str]:
        """Return the metrics and their media type, by the header *accept*; some are *private*."""
        ...


class Api(Struct, frozen=True, kw_only=True, dict=True):
    """The parts behind the HTTP surface.

    *wait_seconds* bounds how long a query waits for its read models, *answer_seconds* how long a command
    waits for its outcome. With *read_latest*, a query without a position includes every command acknowledged
    before it; with *in_threads*, queries go over a network and must not run in the event loop. *models* are
    the read models that every query waits for; *changed_resource* answers about a command's result before
    they do, where it is given. *past* answers questions about the past, *replays* shows repeated commands'
    outcomes, in other places. *published* returns what analysts see of a record, *published_again* of an
    event that is ready to be sent. *erased* waits until an erased account has left no trace, and returns
    whether that happened in time. *not_ready* names the parts that are not ready yet, *does_without* the
    servers that do not answer and that no answer needs, *metrics* writes those for Prometheus. *jobs* returns
    the queue, or raises JobsUnavailableError and NoJobsError. *operations* are those of the command line by
    name. *asyncapi* writes the document of the topics and live channels for a server's address,
    *event_schemas* are those of the public events by their paths.
    """

    logs: Logs[Any]
    bus: Bus
    intake: Intake
    progress: Progress
    queries: Queries
    past: PastAnswers
    replays: PastAnswers
    identity: Identity
    published: Callable[[EventLog, Record], RenderedEvent | None]
    published_again: Callable[[RenderedEvent], RenderedEvent | None]
    erased: Callable[[str], Awaitable[bool]]
    pass_on_feedback: Callable[[str], None]
    hub: Hub
    limits: Limits
    cache: Cache
    not_ready: Callable[[], list[str]]
    does_without: Callable[[], list[str]] = list
    metrics: MetricsWriter
    jobs: Callable[[], JobQueue] = no_jobs
    operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
    models: tuple[str, ...]
    asyncapi: Callable[[str], bytes]
    event_schemas: Mapping[str, bytes] = {}
    graphql: GraphQLSettings = GraphQLSettings()
    gateway: GatewaySettings = GatewaySettings()
    changed_resource: ChangedResource | None = None
    in_threads: bool = False
    read_latest: bool = True
    wait_seconds: float = 5.0
    answer_seconds: float = 10.0

    @cached_property
    def page_turns(self) -> Turns:
        """The turns of those who read pages of events."""
        return Turns()

    @cached_property
    def consistency(self) -> Consistency:
        """What lets answers include everything that they must include."""
        return Consistency(
            logs=self.logs,
            live=self.hub,
            progress=self.progress,
            models=self.models,
            queries=self.queries,
            changed_resource=self.changed_resource,
            read_latest=self.read_latest,
            in_threads=self.in_threads,
            wait_seconds=self.wait_seconds,
        )

    @cached_property
    def quotas(self) -> QuotaGuard:
        """What admits the commands that the owners of projects have room for."""
        return QuotaGuard(
            self.consistency,
            lambda account_id: self.identity.principals.account(account_id).tier,
            self.is_recorded,
            enabled=self.gateway.quotas,
        )

    @cached_property
    def commands(self) -> Commands:
        """What carries out commands."""
        hidden = HiddenReviews(self.consistency, self.is_recorded)
        return Commands(self.bus, self.answer_seconds, self.quotas, hidden)

    def is_recorded(self, command_id: str) -> bool:
        """Return whether the log has a command."""
        return bool(self.logs.command_records(command_id)[1])
