"""One request, as a handler gets it."""

from collections.abc import Callable
from typing import Any, TypeVar

from commands.intake import CommandMetadata
from commands.outcomes import Accepted, Outcome, Submission
from commands.position import Position
from domain.actor import Actor
from domain.command import Command
from domain.commit.commands import RecordCommit
from domain.feedback.commands import GiveFeedback
from projections.queries.page import Page
from read_api.api import Api
from read_api.auth.identity import Identity
from read_api.gateway.caller import Caller
from read_api.gateway.commands import command_metadata
from read_api.gateway.preconditions import precondition
from read_api.gateway.request_past import RequestPast
from read_api.query_services import Queries

T = TypeVar("T")


class Call:
    """One request: its sender (`caller`), what it carries, and the ways to read and to change data for it.

    *path* holds the parameters of its path and *query* those of its query, as text; *headers* have lower-case
    names. *method* is that of HTTP, *command_type* the type of command that the operation is declared with.
    """

    __slots__ = (
        "_actor",
        "_last",
        "_past",
        "after",
        "api",
        "caller",
        "command_type",
        "headers",
        "method",
        "path",
        "query",
        "request_id",
        "state",
    )

    def __init__(
        self,
        api: Api,
        headers: dict[str, str],
        path: dict[str, str],
        query: dict[str, str],
        request_id: str,
        state: dict[str, Any] | None = None,
        command_type: str = "",
        method: str = "POST",
    ) -> None:
        """Keep what the request carries; *state* is the state of its connection."""
        self.api = api
        self.headers = headers
        self.path = path
        self.query = query
        self.request_id = request_id
        self.state: dict[str, Any] = {} if state is None else state
        self.command_type = command_type
        self.method = method
        self.caller = self.state["caller"] = Caller(api.identity, headers.get("authorization"))
        self.after = headers.get("codepark-after")
        self._actor: Actor | None = None
        self._last: Accepted | None = None
        self._past: RequestPast | None = None

    @property
    def actor(self) -> Actor:
        """Return the sender of the request; raises HttpError 401 for a token that is not valid."""
        if self._actor is None:
            self._actor = self.caller.principal.actor
        return self._actor

    @property
    def past(self) -> RequestPast:
        """Return what the request has asked about the past."""
        if self._past is None:
            self._past = RequestPast()
        return self._past

    @property
    def shown_position(self) -> str | None:
        """Return the moment of the past that the answer shows as a position, None for any other answer."""
        return None if self._past is None else self._past.position

    @property
    def address(self) -> str:
        """Return the client's address, as far as proxies are trusted; of IPv6 its network."""
        return str(self.state.get("address", ""))

    @property
    def identity(self) -> Identity:
        """Return the parts that signing in works with."""
        return self.api.identity

    async def read(
        self,
        ask: Callable[[Queries], T],
        *,
        project: str | None = None,
        account: str | None = None,
        large: bool = False,
    ) -> T:
        """Ask the query objects once the read models include what the caller must see.

        *project* or *account* is what the answer is about, by default the project in the path. A *large*
        answer is read in a thread. Raises StoreUnavailableError where the read models do not get there in
        time.
        """
        return await self.api.consistency.read(
            ask, self.after, project=project or self.path.get("project_id"), account=account, large=large
        )

    async def read_insights(self, project: str, ask: Callable[[Queries], T]) -> T:
        """Ask about the insights of *project*, with a position once they include it; raises as `read`."""
        return await self.api.consistency.read_insights(ask, project, self.after)

    async def read_list(self, ask: Callable[[Queries], Page]) -> Page:
        """Ask for a page of projects; raises as `read` does."""
        return await self.api.consistency.read_list(ask, self.after)

    def command_metadata(self) -> CommandMetadata:
        """Return what accompanies a command, by the headers; raises BadInputError, and HttpError 412."""
        headers = self.headers
        return command_metadata(
            self.actor,
            correlation=self.request_id,
            traceparent=headers.get("traceparent"),
            key=headers.get("idempotency-key"),
            condition=precondition(headers, creates=self.method == "POST"),
        )

    def submission(self, type_name: str, data: Any, *, target: str = "") -> Submission:
        """Return the command *type_name* with *data* as its input, ready to be carried out.

        *target* is the id of the project that it is for. Raises as `command_metadata` does, and Refusal.
        """
        return self.api.intake.submission(type_name, data, self.command_metadata(), target=target)

    async def execute(self, type_name: str, data: Any, *, target: str = "") -> Accepted:
        """Carry out the command *type_name* with *data* as its input; raises as its two steps do."""
        return await self.carry_out(self.submission(type_name, data, target=target))

    async def execute_command(self, command: Command, body: Any = None) -> Accepted:
        """Carry out a command that was built from *body*, which a repeated idempotency key must repeat."""
        return await self.carry_out(self.api.intake.submit(command, body, self.command_metadata()))

    async def carry_out(self, submission: Submission) -> Accepted:
        """Carry out a command; raises Refusal, HttpError, and PositionError for a position of another log."""
        if self.after is not None:
            self.api.consistency.seen(self.after)  # refuse a foreign position before anything changes
        if isinstance(submission.command, RecordCommit):
            await self.api.limits.changes(self, len(submission.command.changes))
        await self.count_feedback(submission)
        self.state["command"] = submission.command_id
        accepted = await self.api.commands.carry_out(submission)
        self.pass_on_feedback(submission, accepted)
        return accepted

    async def count_feedback(self, submission: Submission) -> None:
        """Count feedback, which each account gives rarely; raises HttpError 429. A retry counts nothing."""
        if not isinstance(submission.command, GiveFeedback):
            return
        if not (submission.keyed and self.api.is_recorded(submission.command_id)):
            await self.api.limits.feedback(self)

    def pass_on_feedback(self, submission: Submission, outcome: Outcome) -> None:
        """Let the operator's own tools have feedback that is in the log now; what is repeated they have."""
        command = submission.command
        if isinstance(command, GiveFeedback) and isinstance(outcome, Accepted) and not outcome.replayed:
            self.api.pass_on_feedback(command.message)

    async def execute_and_wait(self, command: Command, actor: Actor) -> Accepted:
        """Carry out *command* for *actor* without a key, and wait until this process has its events.

        Raises as `carry_out` does.
        """
        request = command_metadata(
            actor, correlation=self.request_id, traceparent=self.headers.get("traceparent")
        )
        accepted = await self.carry_out(self.api.intake.submit(command, None, request))
        if not self.api.consistency.has(accepted.position):
            await self.api.consistency.wait_for(accepted.position)
        self._last = accepted
        return accepted

    def position_after(self, accepted: Accepted) -> Position:
        """Return the position after a command, with what the caller has seen of other partitions."""
        if self.after is None:
            return accepted.position
        return self.api.consistency.seen(self.after).moved(accepted.position)

    def position_header(self) -> dict[str, str]:
        """Return the header with the position after the last `execute_and_wait`, none before the first."""
        if self._last is None:
            return {}
        return {"CodePark-Position": self.position_after(self._last).token()}
