"""One partition of the log: append behind an expected place, read what others append, know what counts.

Kafka has no conditional append. The chain rule (`counting`) makes one of log order: a batch that was chained on an old
tip is void for every reader. The contiguity check tells a writer in one round trip that its batch counts: it was given
exactly the offset it expected, so nobody wrote in between. In every other case the partition is read back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from commands.kafka.protocol.chain_rule import Counted, Counting, Place, opening_headers
from commands.kafka.protocol.follower import Ahead, FalseHistoryError, Keeper, Tail
from commands.kafka.protocol.transport import BrokerAwayError, Outgoing, Transport, TruncatedError
from commands.log import LogCorruptError, LogUnavailableError, Tip, TipMovedError
from domain.record import Record

_RETRY_SECONDS = 0.25
_LONGEST_RETRY_SECONDS = 4.0
_QUIET_SECONDS = 0.03
_OPEN_TRIES = 20

logger = structlog.get_logger(__name__)


class OutcomeUnknownError(TipMovedError):
    """Nobody told whether the batch was stored; it may still land. Decide again, and look commands up by id."""


class FenceNeededError(Exception):
    """A batch of unknown outcome may still land on this tip: the tip must move before anything is answered."""


class Sealed(Protocol):
    """Makes the messages of a batch for a place: chained behind its tip, expected at its next offset."""

    def __call__(self, place: Place, /) -> tuple[list[Outgoing], Sequence[Counted]]:
        """Return the messages, and what they are once they count."""
        ...


class Partition(Tail):
    """The actor of one partition; every method belongs to one event loop."""

    def __init__(
        self,
        number: int,
        transport: Transport,
        keeper: Keeper,
        *,
        counted: Callable[[Sequence[Record], bool], None] = lambda _, __: None,
        ahead: Ahead | None = None,
    ) -> None:
        """Keep what counts in *keeper*; tell *counted* of records, and whether they are our own, as they are kept."""
        super().__init__(number, transport, keeper, counted, ahead)
        self._lock = asyncio.Lock()
        self._own_append = -1.0
        self._damaged = False
        self._following: asyncio.Task[None] | None = None

    async def start(self, opening: Callable[[], tuple[str, int]] | None = None) -> None:
        """Compare the replica with the log, read to its end, and follow it from now on.

        *opening* gives the log id and the number of partitions for a log that nobody has opened yet.
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
        except BrokerAwayError as error:
            raise LogUnavailableError(str(error)) from error

    def follow(
        self,
        opening: Callable[[], tuple[str, int]] | None = None,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Read what others append, in the background, until `close`; start first where that has not been done.

        *prepare* is awaited once before that start (it makes the topic).
        """
        self._following = asyncio.create_task(self._follow(opening, prepare))

    def mend(self) -> None:
        """Make the replica anew; the following does it."""
        self.unavailable = self.unavailable or "the replica is being made anew"
        self._damaged = True

    async def close(self) -> None:
        """End following."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._transport.close()

    async def append(self, expected: Place, sealed: Sealed) -> Sequence[Counted]:
        """Append what *sealed* makes for *expected*; when this returns, it counts and is in the replica.

        Raises TipMovedError where somebody was faster, OutcomeUnknownError where nobody told, LogUnavailableError.
        """
        async with self._lock:
            self._check_usable()
            if expected != self.place:
                raise TipMovedError(
                    f"the log is at {self.place.tip.sequence}, not at {expected.tip.sequence}"
                )
            messages, taken = sealed(expected)
            self._own_append = asyncio.get_running_loop().time()
            try:
                offset = await self._transport.send(messages, lambda: self._keeper.stage(taken))
            except (BrokerAwayError, asyncio.CancelledError) as error:
                self._doubtful = expected
                await self._transport.renew()
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise OutcomeUnknownError(str(error)) from error
            else:
                self._own_append = asyncio.get_running_loop().time()
                return await self._settle(expected, offset, messages, taken)
            finally:
                self._keeper.unstage()

    async def _settle(
        self, expected: Place, offset: int, messages: list[Outgoing], taken: Sequence[Counted]
    ) -> Sequence[Counted]:
        """Learn from the offset that the broker gave whether the batch counts."""
        if self._is_contiguous(expected, offset):
            self._accept(expected, offset, messages, taken)
            return taken
        if 0 <= offset < expected.next_offset:
            await self._alarm(FalseHistoryError(f"appended at {offset}, below {expected.next_offset}"))
        try:
            await self._read_to(offset + len(messages))
        except BrokerAwayError as error:
            raise LogUnavailableError(str(error)) from error
        raise TipMovedError("another writer was faster")

    def _is_contiguous(self, expected: Place, offset: int) -> bool:
        return offset == expected.next_offset

    def _accept(
        self, expected: Place, offset: int, messages: list[Outgoing], taken: Sequence[Counted]
    ) -> None:
        counting = Counting(self.number, expected)
        counting.place = _place_behind(expected, offset, messages, taken)
        self._keep(taken, counting.place, own=True)
        self._counting = counting

    async def settled(self) -> None:
        """Return when the append under way, if there is one, is settled."""
        async with self._lock:
            pass

    async def confirm(self, expected: Place) -> None:
        """Return once it is sure that *expected* is the end of what counts, asked now.

        Raises TipMovedError where the log has grown, FenceNeededError where a batch of unknown outcome may still land
        on this tip, LogUnavailableError.
        """
        async with self._lock:
            self._check_usable()
            try:
                await self._prove_end()
            except BrokerAwayError as error:
                raise LogUnavailableError(str(error)) from error
            if self.place.tip != expected.tip:
                raise TipMovedError(f"the log is at {self.place.tip.sequence}")
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
        """Open the log unless somebody has: the first opening message in log order is the one that counts."""
        for _ in range(_OPEN_TRIES):
            if self.place.opened:
                break
            message = Outgoing(None, None, opening_headers(log_id, self.number, partitions))
            try:
                await self._transport.send([message])
            except BrokerAwayError:
                await self._transport.renew()
                raise
            await self._read_to(await self._transport.end())
        if self.place.partitions != partitions:
            self.corrupt = (
                f"the log was opened with {self.place.partitions} partitions, and the topic has {partitions}"
            )
            raise LogCorruptError(self.corrupt)

    async def _follow(
        self,
        opening: Callable[[], tuple[str, int]] | None,
        prepare: Callable[[], Awaitable[None]] | None,
    ) -> None:
        pause = _RETRY_SECONDS
        while True:
            try:
                if self.unavailable is not None:
                    if prepare is not None:
                        await prepare()
                        prepare = None
                    await self.start(opening)
                    logger.info("log read", partition=self.number, sequence=self.place.tip.sequence)
                await self._follow_once()
                pause = _RETRY_SECONDS
            except (BrokerAwayError, LogUnavailableError) as error:
                self.unavailable = self.unavailable or f"the broker does not answer: {error}"
                if pause == _RETRY_SECONDS:
                    logger.warning("broker away", partition=self.number, reason=str(error))
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
        """Take the next messages; while we append ourselves, contiguity tells of every foreign one, so wait."""
        quiet = asyncio.get_running_loop().time() - self._own_append
        if quiet < _QUIET_SECONDS:
            await asyncio.sleep(_QUIET_SECONDS - quiet)
            return
        place = self.place
        try:
            messages, after = await self._transport.fetch(place.next_offset, wait=True)
        except TruncatedError as error:
            async with self._lock:
                if place == self.place:
                    await self._alarm(FalseHistoryError(str(error)))
            return
        async with self._lock:
            if place == self.place:
                await self._take(messages, after)


def _place_behind(
    expected: Place, offset: int, messages: Sequence[Outgoing], taken: Sequence[Counted]
) -> Place:
    """Return the place behind a batch that counts."""
    last = taken[-1].record
    chain = next(value for name, value in messages[-1].headers if name == "chain")
    tip = Tip(expected.tip.sequence, chain, expected.tip.occurred_at)
    if last is not None:
        tip = Tip(last.sequence, chain, last.occurred_at)
    end = offset + len(messages)
    return Place(
        next_offset=end, counted_at=end - 1, tip=tip, log_id=expected.log_id, partitions=expected.partitions
    )
