"""Retry dead letters in the worker that owns the partition, between two batches.

The letters' events are looked up in the log by reading it from the start through the chain rule, beside the
projection; then, between two batches, what was added meanwhile is read too and all is projected in order.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence

import structlog
from msgspec import Struct

from commands.kafka.protocol.chain_rule import LogCheckpoint
from commands.log import LogUnavailableError
from domain.record import Record
from projections.store import Change, DeadLetter
from streams.batch_projection import decode
from streams.dead_letters import solve
from streams.faust.partition_state import START, PartitionProjector, Step
from streams.faust.reader import PartitionReader
from streams.faust.requests import RetryRequest, RetryRequests, RetryResult

_LOOK_SECONDS = 0.5

logger = structlog.get_logger(__name__)


class Found(Struct):
    """Records looked up in the log so far, by sequence, and where the look stands."""

    records: dict[int, Record]
    place: LogCheckpoint = START


class Retrying:
    """The retries of one partition: at most one at a time."""

    def __init__(
        self, projector: PartitionProjector, reader: PartitionReader, requests: RetryRequests
    ) -> None:
        """Retry letters of the models of *projector*; *reader* is for this alone."""
        self._projector = projector
        self._reader = reader
        self._requests = requests
        self._looked = 0.0
        self._request: RetryRequest | None = None
        self._looking: asyncio.Task[Found] | None = None

    def due(self) -> bool:
        """Tell whether there may be something to do."""
        if self._looking is not None:
            return self._looking.done()
        return time.monotonic() - self._looked >= _LOOK_SECONDS

    def take(self) -> None:
        """Look for a request, in the worker's thread."""
        self._looked = time.monotonic()
        if self._request is None:
            self._request = self._requests.take()

    def look(self) -> bool:
        """Begin to look up the letters of the request; tell whether their records are there."""
        if self._request is None:
            return False
        if self._looking is None:
            wanted = {letter.sequence for letter in self.letters()}
            self._looking = asyncio.create_task(self._look_up(Found({}), wanted))
        return self._looking.done()

    def letters(self) -> list[DeadLetter]:
        """Return the letters that the request is about; raises StoreUnavailableError."""
        assert self._request is not None  # noqa: S101 # there is one
        names = self._request.models
        models = [m.name for m in self._projector.models if names is None or m.name in names]
        partition, dead_letters = self._projector.partition, self._projector.store.dead_letters
        return [letter for name in models for letter in dead_letters(name) if letter.partition == partition]

    async def complete(self, letters: Sequence[DeadLetter]) -> Found:
        """Return the records of *letters*, those that came last included."""
        assert self._looking is not None  # noqa: S101 # it was begun
        found = await self._looking
        missing = {letter.sequence for letter in letters} - found.records.keys()
        if missing:
            found = await self._look_up(found, missing | found.records.keys())
        return found

    async def _look_up(self, found: Found, wanted: set[int]) -> Found:
        last = max(wanted, default=0)
        while found.place.tip.sequence < last:
            try:
                read = await self._reader.read(found.place)
            except LogUnavailableError:
                if self._reader.closed:
                    raise
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            found.records |= {r.sequence: r for r in read.records if r.sequence in wanted}
            found.place = read.place
        return found

    def solved(self, letters: Sequence[DeadLetter], found: Found) -> Step:
        """Return the step that retries *letters*: one change for each stream of each model."""
        projector = self._projector
        changes: list[Change] = []
        checkpoints = dict(projector.checkpoints)
        for model in projector.models:
            mine = [letter for letter in letters if letter.model == model.name]
            for stream in dict.fromkeys(letter.stream for letter in mine):
                queue = [letter for letter in mine if letter.stream == stream]
                change = solve(
                    model,
                    checkpoints[model.name],
                    queue,
                    lambda sequence: decode(projector.events, [found.records[sequence]])[0],
                )
                checkpoints[model.name] = change.checkpoint
                changes.append(change)
        return Step(
            before=projector.place, after=projector.place, records=(), changes=changes, originals={}, void=0
        )

    def answer(self, letters: Iterable[DeadLetter], step: Step) -> None:
        """Give the result to who asked, and be ready for the next."""
        solved = sum(len(change.solved) for change in step.changes)
        left = len(list(letters)) - solved
        logger.info("dead letters retried", solved=solved, left=left)
        self.finish(RetryResult(solved=solved, left=left))

    def finish(self, result: RetryResult) -> None:
        """Answer the request."""
        if self._request is not None:
            self._requests.answer(self._request, result)
        self._request = self._looking = None

    async def close(self) -> None:
        """Drop what is under way."""
        if self._looking is not None:
            self._looking.cancel()
        await self._reader.close()
