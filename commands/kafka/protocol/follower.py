"""The reading half of a partition: a replica that follows the log, and is made anew where one of them is false."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

import structlog

from commands.kafka.garbage_collection import collecting_seldom
from commands.kafka.prefetch.message import Found, Part
from commands.kafka.protocol.chain_rule import Counted, Counting, Place, Void
from commands.kafka.protocol.message import Message, split_chain
from commands.kafka.protocol.transport import Transport, TruncatedError
from commands.log import LogCorruptError, LogUnavailableError
from domain.record import Record

logger = structlog.get_logger(__name__)


class FalseHistoryError(Exception):
    """A void record lies where its writer expected it, or offsets are gone: somebody holds a false history."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        """Keep the offset of the record where there is one."""
        super().__init__(reason)
        self.offset = offset


class Keeper(Protocol):
    """Where a partition keeps what it took: the replica."""

    @property
    def place(self) -> Place:
        """Return where it is."""
        ...

    @property
    def forks(self) -> frozenset[int]:
        """Return the offsets of confirmed forks."""
        ...

    def stage(self, taken: Sequence[Counted]) -> None:
        """Prepare to keep *taken*, which may come to count; nobody sees it, and it costs `apply` less."""
        ...

    def unstage(self) -> None:
        """Drop what is staged and was not applied."""
        ...

    def apply(self, taken: Sequence[Counted], place: Place) -> None:
        """Keep what was taken and the place, in one step."""
        ...

    def reset(self, forks: Sequence[int] = ()) -> None:
        """Drop everything."""
        ...


class Ahead(Protocol):
    """Examines messages that lie far behind, so that their reader only links them."""

    def parts(self, start: int, end: int) -> AsyncGenerator[Part]:
        """Yield messages from *start* on in order, up to *end* or as far as it went; nothing where that is near."""
        ...


class Tail:
    """Reads one partition into a replica, by the chain rule; every method belongs to one event loop."""

    def __init__(
        self,
        number: int,
        transport: Transport,
        keeper: Keeper,
        counted: Callable[[Sequence[Record], bool], None],
        ahead: Ahead | None = None,
    ) -> None:
        """Keep what counts in *keeper*; tell *counted* of records, and whether they are our own, as they are kept.

        A long history comes through *ahead* where there is one.
        """
        self.number = number
        self._transport = transport
        self._keeper = keeper
        self._counted = counted
        self._ahead = ahead
        self._counting = Counting(number, keeper.place)
        self._doubtful: Place | None = None
        self.unavailable: str | None = "the log has not been read yet"
        self.corrupt: str | None = None
        self.rebuilds = 0
        self.void = 0

    @property
    def place(self) -> Place:
        """Return where this partition's view is; it includes every append that was answered here."""
        return self._keeper.place

    async def _resume(self) -> None:
        """Compare the last counted message with the log, so that a replica of another history is not gone on with."""
        place = self.place
        self._counting = Counting(self.number, place)
        if place.counted_at < 0:
            if place.next_offset > 0:
                self._rebuild(None)
            return
        try:
            messages, _ = await self._transport.fetch(place.counted_at, wait=True)
        except TruncatedError:
            messages = []
        if not self._is_counted_tip(place, messages[0] if messages else None):
            logger.error("the replica holds another history", partition=self.number, offset=place.counted_at)
            self._rebuild(None)

    def _is_counted_tip(self, place: Place, message: Message | None) -> bool:
        if message is None or message.offset != place.counted_at:
            return False
        found = split_chain(message)
        return found is not None and found.chain == place.tip.chain

    async def _prove_end(self) -> None:
        end = await self._transport.end()
        if end < self.place.next_offset:
            await self._alarm(
                FalseHistoryError(f"the partition ends at {end}, below {self.place.next_offset}")
            )
        await self._read_to(end)

    async def _read_to(self, end: int) -> None:
        """Take every message below *end*, or as many as there are: the partition may have been cut meanwhile."""
        with collecting_seldom():
            await self._read_ahead(end)
            while (offset := self._counting.place.next_offset) < end:
                try:
                    messages, after = await self._transport.fetch(offset, wait=True)
                except TruncatedError as error:
                    await self._alarm(FalseHistoryError(str(error)))
                    end = await self._transport.end()
                    continue
                if not await self._take(messages, after) or after == offset:
                    end = await self._transport.end()

    async def _read_ahead(self, end: int) -> None:
        """Take what is examined; whatever stops that, the plain way goes on from the place and meets it too."""
        if self._ahead is None:
            return
        async with aclosing(self._ahead.parts(self._counting.place.next_offset, end)) as parts:
            async for part in parts:
                if not await self._take(part.items, part.after):
                    return

    async def _take(self, messages: Sequence[Found], after: int) -> bool:
        """Count *messages* and keep them; tell whether there was no alarm."""
        try:
            taken, place = self._count(messages, after)
        except FalseHistoryError as error:
            await self._alarm(error)
            return False
        self._keep(taken, place, own=False)
        return True

    def _count(self, messages: Sequence[Found], after: int) -> tuple[list[Counted], Place]:
        """Apply the chain rule; return what counts and the place behind, which others' markers may move on."""
        taken: list[Counted] = []
        for message in messages:
            verdict = self._counting.take(message)
            if isinstance(verdict, Counted):
                taken.append(verdict)
            else:
                self._look_at(verdict)
        place = self._counting.place
        if after > place.next_offset:
            place = self._counting.place = _moved_to(place, after)
        return taken, place

    def _look_at(self, void: Void) -> None:
        self.void += 1
        if void.false_history:
            self._check_place(void)
        logger.info("void record", partition=self.number, offset=void.offset, reason=void.reason)

    def _check_place(self, void: Void) -> None:
        if void.offset not in self._keeper.forks:
            raise FalseHistoryError(f"a void record lies at its place: {void.reason}", void.offset)
        logger.error("fork: a writer held a false history", partition=self.number, offset=void.offset)

    async def _alarm(self, error: FalseHistoryError) -> None:
        """Drop the replica and read the log anew: either this reader was wrong, or the rebuilt one finds the same."""
        logger.error("false history, rebuilding the replica", partition=self.number, reason=str(error))
        self._rebuild(error.offset)
        # The following starts anew, and opens the log where it is empty.
        self.unavailable = self.unavailable or "the replica is being made anew"

    def _rebuild(self, fork: int | None) -> None:
        forks = set(self._keeper.forks)
        if fork is not None:
            forks.add(fork)
        self.rebuilds += 1
        self._keeper.reset(sorted(forks))
        self._counting = Counting(self.number, self._keeper.place)

    def _keep(self, taken: Sequence[Counted], place: Place, *, own: bool) -> None:
        if place == self.place:
            return
        try:
            self._keeper.apply(taken, place)
        except LogCorruptError as error:
            self.corrupt = str(error)
            raise
        except sqlite3.Error as error:
            # The log has it, the replica has not: read it from the log once the disk takes it.
            self._counting = Counting(self.number, self.place)
            self.unavailable = f"the replica cannot be written: {error}"
            raise LogUnavailableError(self.unavailable) from error
        # A replica that is read anew passes the tip that the doubt is about once more: only what is behind it settles.
        if self._doubtful is not None and place.counted_at > self._doubtful.counted_at:
            self._doubtful = None
        records = [item.record for item in taken if item.record is not None]
        if records:
            self._counted(records, own)


def _moved_to(place: Place, offset: int) -> Place:
    return Place(
        next_offset=offset,
        counted_at=place.counted_at,
        tip=place.tip,
        log_id=place.log_id,
        partitions=place.partitions,
    )
