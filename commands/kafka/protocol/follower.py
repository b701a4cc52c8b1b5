"""The reading half of a partition: follows the log into a replica, and rebuilds it where they disagree."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

import structlog

from commands.kafka.garbage_collection import infrequent_collection
from commands.kafka.prefetch.message import IncomingMessage, PrefetchedBatch
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint, VoidMessage
from commands.kafka.protocol.message import Message, split_chain
from commands.kafka.protocol.transport import Transport, TruncatedError
from commands.log import LogCorruptError, LogUnavailableError
from commands.summed_log import SummedLog
from domain.record import Record

logger = structlog.get_logger(__name__)


class FalseHistoryError(Exception):
    """A void record lies at its expected offset, or offsets are gone: somebody has a false history."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        """Name the *offset* of the record where there is one."""
        super().__init__(reason)
        self.offset = offset


class ReplicaStore(Protocol):
    """Where a follower stores what counts: the replica."""

    @property
    def checkpoint(self) -> LogCheckpoint:
        """Return how far the replica is."""
        ...

    @property
    def forks(self) -> frozenset[int]:
        """Return the offsets of confirmed forks."""
        ...

    def stage(self, messages: Sequence[CountedMessage]) -> None:
        """Prepare to store *messages*, which may come to count; nobody sees them, and `apply` gets faster."""
        ...

    def unstage(self) -> None:
        """Drop what is staged and was not applied."""
        ...

    def apply(self, messages: Sequence[CountedMessage], checkpoint: LogCheckpoint) -> None:
        """Store *messages* and the checkpoint after them, in one step."""
        ...

    def reset(self, forks: Sequence[int] = ()) -> None:
        """Drop everything, and remember *forks*."""
        ...


class Prefetcher(Protocol):
    """Reads and checks messages that lie far ahead, so that the follower only has to link them."""

    def batches(self, start: int, end: int) -> AsyncGenerator[PrefetchedBatch]:
        """Yield messages in order from *start*, up to *end* or as far as it gets; none if *end* is near."""
        ...


class LogFollower:
    """Reads one partition into a replica, by the chain rule; every method belongs to one event loop."""

    def __init__(
        self,
        number: int,
        transport: Transport,
        replica: ReplicaStore,
        counted: Callable[[Sequence[Record], bool], None],
        prefetcher: Prefetcher | None = None,
    ) -> None:
        """Store what counts in *replica*, then call *counted* with the records and whether they are our own.

        A long history is read through *prefetcher* where there is one.
        """
        self.number = number
        self._transport = transport
        self._replica = replica
        self._counted = counted
        self._prefetcher = prefetcher
        self._rule = ChainRule(number, replica.checkpoint)
        self._doubtful: LogCheckpoint | None = None
        """Where a batch of unknown outcome was appended: it may count until something else counts there."""
        self.unavailable: str | None = "the log has not been read yet"
        self.corrupt: str | None = None
        self.rebuilds = 0
        self.void = 0
        self._void_log = SummedLog("void record")

    @property
    def checkpoint(self) -> LogCheckpoint:
        """Return how far the replica is; it includes every append that was answered here."""
        return self._replica.checkpoint

    async def _resume(self) -> None:
        """Compare the last counted message with the log: a replica of another history is useless."""
        checkpoint = self.checkpoint
        self._rule = ChainRule(self.number, checkpoint)
        if checkpoint.counted_at < 0:
            if checkpoint.next_offset > 0:
                self._rebuild(None)
            return
        try:
            messages, _ = await self._transport.fetch(checkpoint.counted_at, wait=True)
        except TruncatedError:
            messages = []
        if not _is_counted_tip(checkpoint, messages[0] if messages else None):
            logger.error(
                "the replica holds another history", partition=self.number, offset=checkpoint.counted_at
            )
            self._rebuild(None)

    async def _prove_end(self) -> None:
        """Ask the broker for the end of the partition, and read to it."""
        end = await self._transport.end()
        if end < self.checkpoint.next_offset:
            await self._alarm(
                FalseHistoryError(f"the partition ends at {end}, below {self.checkpoint.next_offset}")
            )
        await self._read_to(end)

    async def _read_to(self, end: int) -> None:
        """Process every message below *end*, or as many as there are: the partition may be cut meanwhile."""
        with infrequent_collection():
            await self._read_prefetched(end)
            while (offset := self._rule.checkpoint.next_offset) < end:
                try:
                    messages, after = await self._transport.fetch(offset, wait=True)
                except TruncatedError as error:
                    await self._alarm(FalseHistoryError(str(error)))
                    end = await self._transport.end()
                    continue
                if not await self._process(messages, after) or after == offset:
                    end = await self._transport.end()

    async def _read_prefetched(self, end: int) -> None:
        """Process what the prefetcher yields; `_read_to` continues where it stops, and meets the reason."""
        if self._prefetcher is None:
            return
        start = self._rule.checkpoint.next_offset
        async with aclosing(self._prefetcher.batches(start, end)) as batches:
            async for batch in batches:
                if not await self._process(batch.messages, batch.after):
                    return

    async def _process(self, messages: Sequence[IncomingMessage], after: int) -> bool:
        """Judge *messages* and store those that count; return whether there was no alarm."""
        try:
            counted, checkpoint = self._judge(messages, after)
        except FalseHistoryError as error:
            await self._alarm(error)
            return False
        self._store(counted, checkpoint, own=False)
        return True

    def _judge(
        self, messages: Sequence[IncomingMessage], after: int
    ) -> tuple[list[CountedMessage], LogCheckpoint]:
        """Return what counts, and the checkpoint at *after*: others' transaction markers take offsets too."""
        counted: list[CountedMessage] = []
        for message in messages:
            verdict = self._rule.judge(message)
            if isinstance(verdict, CountedMessage):
                counted.append(verdict)
            else:
                self._note_void(verdict)
        checkpoint = self._rule.checkpoint = self._rule.checkpoint.moved_to(after)
        return counted, checkpoint

    def _note_void(self, message: VoidMessage) -> None:
        self.void += 1
        if message.false_history:
            self._check_fork(message)
        self._void_log.note(logger.info, partition=self.number, offset=message.offset, reason=message.reason)

    def _check_fork(self, message: VoidMessage) -> None:
        if message.offset not in self._replica.forks:
            reason = f"a void record lies at its expected offset: {message.reason}"
            raise FalseHistoryError(reason, message.offset)
        logger.error("fork: a writer held a false history", partition=self.number, offset=message.offset)

    async def _alarm(self, error: FalseHistoryError) -> None:
        """Drop the replica and read the log again: the new replica is right, or it meets the same fork."""
        logger.error("false history, rebuilding the replica", partition=self.number, reason=str(error))
        self._rebuild(error.offset)
        # The follower starts again, and opens the log where it is empty.
        self.unavailable = self.unavailable or "the replica is being rebuilt"

    def _rebuild(self, fork: int | None) -> None:
        forks = set(self._replica.forks)
        if fork is not None:
            forks.add(fork)
        self.rebuilds += 1
        self._replica.reset(sorted(forks))
        self._rule = ChainRule(self.number, self._replica.checkpoint)

    def _store(self, counted: Sequence[CountedMessage], checkpoint: LogCheckpoint, *, own: bool) -> None:
        """Store what counts, and announce its records."""
        if checkpoint == self.checkpoint:
            return
        try:
            self._replica.apply(counted, checkpoint)
        except LogCorruptError as error:
            self.corrupt = str(error)
            raise
        except sqlite3.Error as error:
            # The log has it and the replica has not: read it from the log once the disk can be written again.
            self._rule = ChainRule(self.number, self.checkpoint)
            self.unavailable = f"the replica cannot be written: {error}"
            raise LogUnavailableError(self.unavailable) from error
        self._settle_doubt(checkpoint)
        records = [message.record for message in counted if message.record is not None]
        if records:
            self._counted(records, own)

    def _settle_doubt(self, checkpoint: LogCheckpoint) -> None:
        """Drop the doubt about a batch once a message counts after the tip that the batch was chained on.

        A rebuilt replica reads past that tip again; only a message *after* it proves that the batch can no
        longer count.
        """
        if self._doubtful is not None and checkpoint.counted_at > self._doubtful.counted_at:
            self._doubtful = None


def _is_counted_tip(checkpoint: LogCheckpoint, message: Message | None) -> bool:
    if message is None or message.offset != checkpoint.counted_at:
        return False
    parts = split_chain(message)
    return parts is not None and parts.chain == checkpoint.tip.chain
