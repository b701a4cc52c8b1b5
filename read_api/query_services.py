"""The query objects over one store, and the port that shows a command's result before the store can."""

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from commands.outcomes import Accepted
from projections.queries.accounts import AccountQueries
from projections.queries.builds import BuildQueries
from projections.queries.business import BusinessQueries
from projections.queries.commits import CommitQueries
from projections.queries.files import FileQueries
from projections.queries.inbox import InboxQueries
from projections.queries.insights import InsightQueries, Pending, nothing_pending
from projections.queries.mail import MailQueries
from projections.queries.projects import ProjectQueries
from projections.queries.reviews import ReviewQueries
from projections.queries.security import SecurityQueries
from projections.queries.shared_answers import SharedAnswers
from projections.queries.traces import TraceQueries
from projections.queries.usage import UsageQueries
from projections.store import DocumentStore


class Queries(Struct, frozen=True):
    """The query objects over one store."""

    projects: ProjectQueries
    files: FileQueries
    commits: CommitQueries
    reviews: ReviewQueries
    builds: BuildQueries
    accounts: AccountQueries
    inbox: InboxQueries
    mail: MailQueries
    insights: InsightQueries
    security: SecurityQueries
    traces: TraceQueries
    usage: UsageQueries
    business: BusinessQueries


class ChangedResource(Protocol):
    """Shows what a command changed without waiting for the read models, such as a replica of the log."""

    async def __call__(self, accepted: Accepted, ask: Callable[[Queries], Any], /) -> Any:
        """Ask about the resource that the command changed; None where only the read models can answer."""
        ...


def queries_over(
    store: DocumentStore,
    shared: SharedAnswers | None = None,
    insights_pending: Pending = nothing_pending,
) -> Queries:
    """Return the query objects over *store*; *shared* holds the answers that processes share.

    *insights_pending* says of which projects files have changed that the insights do not include yet.
    """
    return Queries(
        projects=ProjectQueries(store, shared, insights_pending),
        files=FileQueries(store),
        commits=CommitQueries(store),
        reviews=ReviewQueries(store),
        builds=BuildQueries(store),
        accounts=AccountQueries(store),
        inbox=(inbox := InboxQueries(store)),
        mail=MailQueries(store, inbox),
        insights=InsightQueries(store, insights_pending),
        security=SecurityQueries(store),
        traces=TraceQueries(store),
        usage=UsageQueries(store),
        business=BusinessQueries(store),
    )
