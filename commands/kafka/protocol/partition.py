"""One partition of the log: append after an expected checkpoint, read what others append, know what counts.

Kafka has no conditional append. The chain rule (`chain_rule`) makes one of log order: a batch that was
chained on an old tip is void for every reader. The contiguity check tells a writer in one round trip that its
batch counts: it got exactly the offset that it expected, so nobody wrote in between. In every other case the
partition is read back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint, opening_headers
from commands.kafka.protocol.chained_messages import ChainedBatch
from commands.kafka.protocol.follower import FalseHistoryError, LogFollower, Prefetcher, ReplicaStore
from commands.kafka.protocol.transport import (
    BrokerUnavailableError,
    OutgoingMessage,
    Transport,
    TruncatedError,
)
from commands.log import LogCorruptError, LogUnavailableError, Tip, TipMovedError
from domain.record import Record
from telemetry.trace_lines import trace

_RETRY_SECONDS = 0.25
_LONGEST_RETRY_SECONDS = 4.0
_QUIET_SECONDS = 0.03
_OPEN_TRIES = 20

Opening = Callable[[], tuple[str, int]]
"""Gives the log id and the number of partitions for a log that nobody has opened yet."""

logger = structlog.get_logger(__name__)


class OutcomeUnknownError(TipMovedError):
    """It is unknown whether the batch was stored, and it may still land: decide again, look ids up."""


class FenceNeededError(Exception):
    """A batch of unknown outcome may still land on this tip: the tip must move before any answer."""


class BatchBuilder(Protocol):
    """Makes the messages of a batch for a checkpoint: chained after its tip, expected at its next offset."""

    def __call__(self, checkpoint: LogCheckpoint, /) -> ChainedBatch:
        """Return the messages, and what they are once they count."""
        ...


class Partition(LogFollower):
    """Reads and appends one partition; every method belongs to one event loop."""

    def __init__(
        self,
        number: int,
        transport: Transport,
        replica: ReplicaStore,
        *,
        counted: Callable[[Sequence[Record], bool], None] = lambda _, __: None,
        prefetcher: Prefetcher | None = None,
    ) -> None:
        """Store what counts in *replica*, then call *counted* with the records and whether they are ours."""
        super().__init__(number, transport, replica, counted, prefetcher)
        self._lock = asyncio.Lock()
        self._own_append = -1.0
        self._damaged = False
        self._following: asyncio.Task[None] | None = None

    async def start(self, opening: Opening | None = None) -> None:
        """Compare the replica with the log, read to the log's end, and open the log where nobody has.

        Raises LogUnavailableError and LogCorruptError; `follow` tries again.
        """
        try:
            async with self._lock:
                if self._damaged:
                    self._rebuild(None)
                    self._damaged = False
                await self._resume()
                await self._prove_end()
                if opening is not None:
                    await self._open(*opening())
            self.unavailable = None
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error

    def follow(
        self, opening: Opening | None = None, prepare: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Read what others append, in the background, until `close`; call `start` first where it is due.

        *prepare* is awaited once before that start (it makes the topic).
        """
        self._following = asyncio.create_task(self._follow(opening, prepare))

    def schedule_rebuild(self) -> None:
        """Have the replica, which is damaged, rebuilt by the task that follows the log."""
        self.unavailable = self.unavailable or "the replica is being rebuilt"
        self._damaged = True

    async def close(self) -> None:
        """End following."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._transport.close()

    async def append(self, expected: LogCheckpoint, build: BatchBuilder) -> Sequence[CountedMessage]:
        """Append what *build* makes for *expected*; when this returns, it counts and is in the replica.

        Raises TipMovedError where another writer was faster, OutcomeUnknownError, LogUnavailableError.
        """
        async with self._lock:
            self._check_usable()
            if expected != self.checkpoint:
                raise TipMovedError(
                    f"the log is at {self.checkpoint.tip.sequence}, not at {expected.tip.sequence}"
                )
            messages, items = build(expected)
            self._own_append = asyncio.get_running_loop().time()
            try:
                offset = await self._transport.send(messages, lambda: self._replica.stage(items))
            except (BrokerUnavailableError, asyncio.CancelledError) as error:
                self._doubtful = expected
                await self._transport.renew()
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise OutcomeUnknownError(str(error)) from error
            else:
                self._own_append = asyncio.get_running_loop().time()
                return await self._settle(expected, offset, messages, items)
            finally:
                self._replica.unstage()

    async def _settle(
        self,
        expected: LogCheckpoint,
        offset: int,
        messages: list[OutgoingMessage],
        items: Sequence[CountedMessage],
    ) -> Sequence[CountedMessage]:
        """Conclude from the offset that the broker gave whether the batch counts."""
        if self._is_contiguous(expected, offset):
            self._accept(expected, offset, messages, items)
            return items
        if 0 <= offset < expected.next_offset:
            await self._alarm(FalseHistoryError(f"appended at {offset}, below {expected.next_offset}"))
        try:
            await self._read_to(offset + len(messages))
        except BrokerUnavailableError as error:
            raise LogUnavailableError(str(error)) from error
        raise TipMovedError("another writer was faster")

    def _is_contiguous(self, expected: LogCheckpoint, offset: int) -> bool:
        return offset == expected.next_offset

    def _accept(
        self,
        expected: LogCheckpoint,
        offset: int,
        messages: list[OutgoingMessage],
        items: Sequence[CountedMessage],
    ) -> None:
        rule = ChainRule(self.number, _after_batch(expected, offset, messages, items))
        self._store(items, rule.checkpoint, own=True)
        self._rule = rule
        trace("batch appended", partition=self.number, commands=len(items), tip=rule.checkpoint.tip.sequence)

    async def settled(self) -> None:
        """Return when the append under way, if there is one, is settled."""
        async with self._lock:
            pass

    async def confirm(self, expected: LogCheckpoint) -> None:
        """Return once the broker has confirmed, after this call, that *expected* is the end of what counts.

        Raises TipMovedError where the log has grown, FenceNeededError where a batch of unknown outcome may
        still land on this tip, LogUnavailableError.
        """
        async with self._lock:
            self._check_usable()
            try:
                await self._prove_end()
            except BrokerUnavailableError as error:
                raise LogUnavailableError(str(error)) from error
            if self.checkpoint.tip != expected.tip:
                raise TipMovedError(f"the log is at {self.checkpoint.tip.sequence}")
            self._require_no_doubt()

    def _require_no_doubt(self) -> None:
        if self._doubtful is not None:
            raise FenceNeededError

    def _check_usable(self) -> None:
        if self.corrupt is not None:
            raise LogCorruptError(self.corrupt)
        if self.unavailable is not None:
            raise LogUnavailableError(self.unavailable)

    async def _open(self, log_id: str, partitions: int) -> None:
        """Open the log unless it is open: of several opening messages, the first one in log order counts."""
        for _ in range(_OPEN_TRIES):
            if self.checkpoint.opened:
                break
            message = OutgoingMessage(None, None, opening_headers(log_id, self.number, partitions))
            try:
                await self._transport.send([message])
            except BrokerUnavailableError:
                await self._transport.renew()
                raise
            await self._read_to(await self._transport.end())
        opened_with = self.checkpoint.partitions
        if opened_with != partitions:
            self.corrupt = f"the log was opened with {opened_with} partitions, and the topic has {partitions}"
            raise LogCorruptError(self.corrupt)

    async def _follow(self, opening: Opening | None, prepare: Callable[[], Awaitable[None]] | None) -> None:
        pause = _RETRY_SECONDS
        while True:
            try:
                if self.unavailable is not None:
                    if prepare is not None:
                        await prepare()
                        prepare = None
                    await self.start(opening)
                    logger.info("log read", partition=self.number, sequence=self.checkpoint.tip.sequence)
                await self._follow_once()
                pause = _RETRY_SECONDS
            except (BrokerUnavailableError, LogUnavailableError) as error:
                self.unavailable = self.unavailable or f"the broker does not answer: {error}"
                if pause == _RETRY_SECONDS:
                    logger.warning("broker unavailable", partition=self.number, reason=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_RETRY_SECONDS)
            except LogCorruptError as error:
                self.corrupt = str(error)
                logger.error("the log contradicts itself", partition=self.number, reason=str(error))
                return
            except Exception:
                logger.exception("following failed", partition=self.number)
                await asyncio.sleep(_LONGEST_RETRY_SECONDS)

    async def _follow_once(self) -> None:
        """Process the next messages, unless this node appends: contiguity then shows every foreign one."""
        quiet = asyncio.get_running_loop().time() - self._own_append
        if quiet < _QUIET_SECONDS:
            await asyncio.sleep(_QUIET_SECONDS - quiet)
            return
        checkpoint = self.checkpoint
        try:
            messages, after = await self._transport.fetch(checkpoint.next_offset, wait=True)
        except TruncatedError as error:
            async with self._lock:
                if checkpoint == self.checkpoint:
                    await self._alarm(FalseHistoryError(str(error)))
            return
        async with self._lock:
            if checkpoint == self.checkpoint:
                await self._process(messages, after)


def _after_batch(
    expected: LogCheckpoint,
    offset: int,
    messages: Sequence[OutgoingMessage],
    items: Sequence[CountedMessage],
) -> LogCheckpoint:
    """Return the checkpoint after a batch that counts."""
    last = items[-1].record
    chain = next(value for name, value in messages[-1].headers if name == "chain")
    tip = Tip(expected.tip.sequence, chain, expected.tip.occurred_at)
    if last is not None:
        tip = Tip(last.sequence, chain, last.occurred_at)
    return expected.after(offset + len(messages) - 1, tip)
