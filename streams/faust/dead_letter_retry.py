"""Retry dead letters in the worker that owns the partition, between two batches.

The events of the dead letters are looked up by reading the log from its start through the chain rule, while
the projection continues. Then, between two batches, dead letters that were added meanwhile are looked up as
well, and all are projected in order.
"""

import asyncio
import time
from collections.abc import Sequence

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

_POLL_SECONDS = 0.5

logger = structlog.get_logger(__name__)


class LookedUpRecords(Struct):
    """The records that were looked up so far, by sequence, and how far the log was read for them."""

    records: dict[int, Record]
    log_checkpoint: LogCheckpoint = START


class DeadLetterRetry:
    """The retries of one partition, at most one at a time."""

    def __init__(
        self, projector: PartitionProjector, reader: PartitionReader, requests: RetryRequests
    ) -> None:
        """Retry dead letters of the models of *projector*; *reader* serves only this purpose."""
        self._projector = projector
        self._reader = reader
        self._requests = requests
        self._polled = 0.0
        self._request: RetryRequest | None = None
        self._lookup: asyncio.Task[LookedUpRecords] | None = None

    def due(self) -> bool:
        """Return whether there may be something to do."""
        if self._lookup is not None:
            return self._lookup.done()
        return time.monotonic() - self._polled >= _POLL_SECONDS

    def poll(self) -> None:
        """Take the next request, if there is none; called in the worker's thread."""
        self._polled = time.monotonic()
        if self._request is None:
            self._request = self._requests.take()

    def looked_up(self) -> bool:
        """Begin to look up the dead letters of the request; return whether their records are there."""
        if self._request is None:
            return False
        if self._lookup is None:
            sequences = {letter.sequence for letter in self.dead_letters()}
            self._lookup = asyncio.create_task(self._look_up(LookedUpRecords({}), sequences))
        return self._lookup.done()

    def dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters that the request is about; raises StoreUnavailableError."""
        assert self._request is not None  # noqa: S101 # the callers checked it
        requested, partition = self._request.models, self._projector.partition
        return [
            letter
            for model in self._projector.models
            if requested is None or model.name in requested
            for letter in self._projector.store.dead_letters(model.name)
            if letter.partition == partition
        ]

    async def complete(self, dead_letters: Sequence[DeadLetter]) -> LookedUpRecords:
        """Return the records of *dead_letters*, including those that were added during the lookup."""
        assert self._lookup is not None  # noqa: S101 # it was begun
        looked_up = await self._lookup
        missing = {letter.sequence for letter in dead_letters} - looked_up.records.keys()
        if missing:
            looked_up = await self._look_up(looked_up, missing | looked_up.records.keys())
        return looked_up

    async def _look_up(self, looked_up: LookedUpRecords, sequences: set[int]) -> LookedUpRecords:
        last = max(sequences, default=0)
        while looked_up.log_checkpoint.tip.sequence < last:
            try:
                read = await self._reader.read(looked_up.log_checkpoint)
            except LogUnavailableError:
                if self._reader.closed:
                    raise
                await asyncio.sleep(_POLL_SECONDS)
                continue
            looked_up.records |= {
                record.sequence: record for record in read.records if record.sequence in sequences
            }
            looked_up.log_checkpoint = read.log_checkpoint
        return looked_up

    def step(self, dead_letters: Sequence[DeadLetter], looked_up: LookedUpRecords) -> Step:
        """Return the step that retries *dead_letters*: one change for each stream of each model."""
        projector = self._projector
        changes: list[Change] = []
        checkpoints = dict(projector.checkpoints)
        for model in projector.models:
            of_model = [letter for letter in dead_letters if letter.model == model.name]
            for stream in dict.fromkeys(letter.stream for letter in of_model):
                queue = [letter for letter in of_model if letter.stream == stream]
                change = solve(
                    model,
                    checkpoints[model.name],
                    queue,
                    lambda sequence: decode(projector.events, [looked_up.records[sequence]])[0],
                )
                checkpoints[model.name] = change.checkpoint
                changes.append(change)
        return Step(
            before=projector.log_checkpoint,
            after=projector.log_checkpoint,
            records=(),
            changes=changes,
            originals={},
            void=0,
        )

    def answer(self, dead_letters: Sequence[DeadLetter], step: Step) -> None:
        """Send the result to the caller, and be ready for the next request."""
        solved = sum(len(change.solved) for change in step.changes)
        left = len(dead_letters) - solved
        logger.info("dead letters retried", solved=solved, left=left)
        self.finish(RetryResult(solved=solved, left=left))

    def finish(self, result: RetryResult) -> None:
        """Answer the request, if there is one, and be ready for the next."""
        if self._request is not None:
            self._requests.answer(self._request, result)
        self._request = self._lookup = None

    async def close(self) -> None:
        """Cancel the lookup."""
        if self._lookup is not None:
            self._lookup.cancel()
        await self._reader.close()
