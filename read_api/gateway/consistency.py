"""What an answer must include: everything acknowledged so far, and the position that the caller names.

A position is how far a client has seen the log; a command's answer carries one, `CodePark-After` sends it
back.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from commands.log import Selection
from commands.outcomes import Accepted
from commands.partitions import Logs
from commands.position import START, Position, PositionError, parse_position
from domain.identifiers import account_stream, project_stream
from projections.insights_model import INSIGHTS
from projections.progress import BlockedError, NotCaughtUpError, Progress
from projections.queries.page import Page
from read_api.problems import BadInputError, as_http_error, unavailable
from read_api.query_services import ChangedResource, Queries

T = TypeVar("T")

_UNAVAILABLE = 503
_HEADER = "CodePark-After"
_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS, _LOOK_LESS_OFTEN = 0.05, 0.5, 1.5

Ask = Callable[[Queries], T]


def _refused(error: PositionError, place: str) -> BadInputError:
    return BadInputError(str(error), place, code="invalid_position")


class LiveTips(Protocol):
    """How far the live source of each partition is."""

    def tip(self, partition: int = 0) -> int:
        """Return the sequence of the last event of *partition*."""
        ...

    async def changed(self, after: Mapping[int, int]) -> None:
        """Wait until one of the partitions has an event after the given sequence, or the server stops."""
        ...


@contextmanager
def shown_later(accepted: Accepted, position: Position) -> Iterator[None]:
    """Say of a command that it is stored, where its result cannot be shown now; raises HttpError 503."""
    try:
        yield
    except Exception as error:
        known = as_http_error(error)
        if known is None or known.status != _UNAVAILABLE:
            raise
        headers = {"CodePark-Command": accepted.command_id, "CodePark-Position": position.token()}
        detail = f"the command is stored, and its result cannot be shown yet: {known.detail}"
        raise unavailable("result_unavailable", detail, headers) from error


class Consistency:
    """Read the query objects once their read models include what an answer must include."""

    def __init__(
        self,
        *,
        logs: Logs[Any],
        live: LiveTips,
        progress: Progress,
        models: Sequence[str],
        queries: Queries,
        changed_resource: ChangedResource | None,
        read_latest: bool,
        in_threads: bool,
        wait_seconds: float,
    ) -> None:
        """Wait for *models* up to *wait_seconds*.

        With *read_latest*, an answer includes everything acknowledged before the request. With *in_threads*,
        queries go over a network and must not run in the event loop.
        """
        self._logs = logs
        self._log_of_each_partition = tuple(logs)
        self._live = live
        self._progress = progress
        self._models = models
        self._queries = queries
        self._changed_resource = changed_resource
        self._read_latest = read_latest
        self._in_threads = in_threads
        self._seconds = wait_seconds

    def seen(self, after: str | None) -> Position:
        """Return what the sender of a command has seen of other partitions; raises BadInputError.

        With one partition there are no others, and the token is not read.
        """
        if after is None or len(self._log_of_each_partition) == 1:
            return START
        try:
            return self._known(parse_position(after))
        except PositionError as error:
            raise _refused(error, _HEADER) from error

    async def required(self, after: str | None) -> dict[int, int]:
        """Return the sequence of each partition that an answer must include; raises as `reached` does."""
        required: dict[int, int] = {}
        if self._read_latest:
            for log in self._log_of_each_partition:
                required[log.number] = log.tip().sequence
        if after is not None:
            for partition, sequence in (await self.reached(after, _HEADER)).sequences.items():
                required[partition] = max(sequence, required.get(partition, 0))
        return required

    async def reached(self, token: str, place: str = _HEADER) -> Position:
        """Return the position of *token*, of the parameter or header *place*, once its events are here.

        Raises BadInputError where the token belongs to another log, and HttpError 503 where the events do not
        arrive in time.
        """
        try:
            position = self._known(parse_position(token))
            await self.wait_for(position)
            return self._of_this_log(position)
        except PositionError as error:
            raise _refused(error, place) from error

    async def wait_for(self, position: Position) -> None:
        """Wait until this process has the events up to *position*; raises HttpError 503."""
        sequences, live = position.sequences, self._live
        ahead = [partition for partition, sequence in sequences.items() if sequence > live.tip(partition)]
        if not ahead:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                for partition in ahead:
                    await live.changed({partition: sequences[partition] - 1})
        if not self.has(position):
            raise unavailable(
                "position_ahead", "this server has not received the events up to this position yet; try again"
            )

    def has(self, position: Position) -> bool:
        """Return whether the log of this process has the events up to *position*."""
        logs = self._log_of_each_partition
        return all(logs[number].tip().sequence >= sequence for number, sequence in position.sequences.items())

    async def read(
        self,
        ask: Ask[T],
        after: str | None = None,
        *,
        project: str | None = None,
        account: str | None = None,
        large: bool = False,
    ) -> T:
        """Ask the query objects once the read models include what the caller must see.

        *project* or *account* is the one that the answer is about. A *large* answer is read in a thread.
        Raises StoreUnavailableError where the read models are late, or cannot include an event of it.
        """
        required = await self.required(after)
        if account is not None:
            await self._progress.wait(self._models, required, self._seconds)
            if self._progress.has_blocked_streams:
                self._refuse_blocked_streams({account_stream(account)})
        return await self._read(ask, required, project, large=large)

    async def included(self, position: Position, seconds: float) -> None:
        """Wait up to *seconds* until the read models include *position*; raises StoreUnavailableError."""
        await self._progress.wait(self._models, position.sequences, seconds)

    async def look(self, ask: Ask[T]) -> T:
        """Ask the query objects for what the read models have now; waits for nothing."""
        return await asyncio.to_thread(ask, self._queries) if self._in_threads else ask(self._queries)

    async def read_current(self, ask: Ask[T], project: str) -> T:
        """Ask once the read models include all that this process has of the partition of *project*.

        Raises StoreUnavailableError where that takes too long.
        """
        number = self._logs.number_of(project)
        return await self._read(ask, {number: self._logs[number].tip().sequence}, None)

    def project_version(self, project: str) -> int:
        """Return the version of *project* in the log of this process, 0 where it is not there."""
        log = self._logs.of(project)
        version: int = log.version_at(project_stream(project), log.tip().sequence)
        return version

    async def read_insights(self, ask: Ask[T], project: str, after: str | None = None) -> T:
        """Ask about the insights of *project*: the last ones, or those that include the position *after*.

        Raises as `read` does.
        """
        if after is None:
            return await self.read(ask, project=project)
        number, deadline = self._logs.number_of(project), time.monotonic() + self._seconds
        required = await self.required(after)
        sequence = self._progress.needed(INSIGHTS, project, required.get(number, 0), number)
        await self._progress.wait((INSIGHTS,), {number: sequence}, self._seconds)
        pause = _LOOK_SECONDS
        while await self._read(lambda q: q.insights.waits(project, sequence), required, project):
            if time.monotonic() > deadline:
                raise NotCaughtUpError("the insights of this project are being made; try again")
            await asyncio.sleep(pause)
            pause = min(pause * _LOOK_LESS_OFTEN, _LONGEST_PAUSE_SECONDS)
        return await self._read(ask, required, project)

    async def read_changed(
        self,
        ask: Ask[T],
        accepted: Accepted,
        position: Position,
        *,
        project: str | None = None,
    ) -> T:
        """Ask about what a command changed; *position* is the command's, with what its sender has seen.

        Raises HttpError 503 that says that the command was accepted, where the answer is not there in time.
        """
        with shown_later(accepted, position):
            if self._changed_resource is not None:
                answer: T | None = await self._changed_resource(accepted, ask)
                if answer is not None:
                    return answer
            return await self._read(ask, position.sequences, project)

    async def read_list(self, ask: Ask[Page], after: str | None = None) -> Page:
        """Ask for a page of projects.

        With a position, a page with a project that a dead letter blocks is refused rather than shown stale.
        """
        required = await self.required(after)
        page = await self._read(ask, required, None)
        if after is not None and self._progress.has_blocked_streams:
            self._refuse_blocked_streams({f"project-{project['id']}" for project in page.items})
        return page

    async def _read(
        self, ask: Ask[T], required: Mapping[int, int], project: str | None, *, large: bool = False
    ) -> T:
        progress = self._progress
        await progress.wait(self._models, required, self._seconds)
        if project is not None and progress.has_blocked_streams:
            self._refuse_blocked_project(project)
        if self._in_threads or large:
            return await asyncio.to_thread(ask, self._queries)
        return ask(self._queries)

    def _refuse_blocked_streams(self, streams: set[str]) -> None:
        for model in self._models:
            for stream in self._progress.blocked(model) & streams:
                raise BlockedError(f"an event of {stream} is among the dead letters of {model}")

    def _refuse_blocked_project(self, project: str) -> None:
        for model in self._models:
            if any(self._belongs_to(stream, project) for stream in self._progress.blocked(model)):
                raise BlockedError(f"an event of project {project} is among the dead letters of {model}")

    def _belongs_to(self, stream: str, project: str) -> bool:
        records = self._logs.of(project).read(0, 1, Selection(stream=stream))
        return bool(records) and records[0].home == project

    def _known(self, position: Position) -> Position:
        """Return *position*; raises PositionError where it names a partition that this log does not have."""
        if any(number >= len(self._log_of_each_partition) for number in position.partitions):
            raise PositionError("this position token belongs to another log")
        return position

    def _of_this_log(self, position: Position) -> Position:
        """Return *position*; raises PositionError where the chain of this log has never had that value."""
        for number, sequence in position.sequences.items():
            log = self._log_of_each_partition[number]
            tip = log.tip()
            if sequence > 0:
                chain = tip.chain if sequence == tip.sequence else log.read(sequence - 1, 1)[0].chain
                if not position.matches(chain, number):
                    raise PositionError("this position token belongs to another log")
        return position
