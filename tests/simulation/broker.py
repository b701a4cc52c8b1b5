"""One partition of a simulated broker, and the transport that a node has to it.

A batch lands when it is committed (on all replicas). Before that nobody can see it and it is not
acknowledged, so an unacknowledged tail that a failover cuts is a batch that lands later, elsewhere, or never.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from commands.kafka.protocol.message import Message
from commands.kafka.protocol.transport import (
    BrokerUnavailableError,
    OutgoingMessage,
    TruncatedError,
    do_nothing,
)
from tests.simulation.faults import Plan
from tests.simulation.loop import VirtualLoop

DEADLINE = 5.0
_POLL = 0.5
_LATEST = 20.0


class Fate(NamedTuple):
    """When a batch lands, whether it is acknowledged, and whether the acknowledgement carries its offset."""

    landings: tuple[float, ...] = (0.002,)
    acknowledged: bool = True
    offset_known: bool = True


LOST = Fate((), acknowledged=False)
SILENT = Fate(acknowledged=False)


@dataclass(eq=False)
class Flight:
    """A batch on its way."""

    batch: Sequence[OutgoingMessage]
    sender: "SimulatedTransport"
    fate: Fate
    answer: Callable[[int], None]
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    acknowledged: bool = False


class SimulatedBroker:
    """A log of messages; None is a marker of another program's transaction, which takes an offset."""

    def __init__(self, loop: VirtualLoop, random: Random, plan: Plan) -> None:
        self.loop = loop
        self.random = random
        self.plan = plan
        self.quiet = False
        self.log: list[Message | None] = []
        self.landed_at: list[float] = []
        self.cut: list[Message] = []
        """Acknowledged messages that an unclean election lost."""
        self.flights: list[Flight] = []
        self.unavailable_until = 0.0
        self.direct: Callable[[SimulatedTransport], Fate | None] = lambda _: None
        """Gives the fate of a send in a directed scenario."""
        self.hold: Callable[[SimulatedTransport, str], float] = lambda *_: 0.0
        """Gives by how much a read is delayed in a directed scenario."""
        self._grown = asyncio.Event()

    def chance(self, rate: float) -> bool:
        return not self.quiet and self.random.random() < rate

    def delay(self) -> float:
        """Return a network delay: usually short, sometimes long."""
        return self.random.expovariate(200.0) if self.random.random() < 0.95 else self.random.random() * 0.4

    def take(self, flight: Flight) -> None:
        """Let a batch travel to the log."""
        self.flights.append(flight)
        flight.timers = [self.loop.call_later(delay, self._land, flight) for delay in flight.fate.landings]

    def fate(self, sender: "SimulatedTransport") -> Fate:
        """Draw the fate of a batch."""
        directed = self.direct(sender)
        if directed is not None:
            return directed
        plan, delay = self.plan, self.delay()
        if self.chance(plan.lost) or (self.unavailable and not self.chance(0.3)):
            return LOST
        if self.chance(plan.late):
            return Fate((DEADLINE * self.random.random() + self.random.random() * _LATEST,))
        if self.chance(plan.twice):
            return Fate((delay, delay + self.random.random() * _LATEST))
        return Fate((delay,), not self.chance(plan.ack_lost), not self.chance(plan.offset_unknown))

    @property
    def unavailable(self) -> bool:
        return not self.quiet and self.loop.time() < self.unavailable_until

    def _land(self, flight: Flight) -> None:
        base = self.put([Message(0, *message) for message in flight.batch])
        flight.timers.pop(0)
        if not flight.timers:
            self.flights.remove(flight)
        if flight.fate.acknowledged and not flight.acknowledged:
            flight.acknowledged = True
            self.loop.call_later(self.delay(), flight.answer, base if flight.fate.offset_known else -1)

    def put(self, messages: Sequence[Message | None]) -> int:
        """Append *messages* in one piece and return the offset of the first one."""
        base = len(self.log)
        for index, message in enumerate(messages):
            self.log.append(message and message._replace(offset=base + index))
            self.landed_at.append(self.loop.time())
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
        return base

    def fail_over(self) -> None:
        """Make another broker the leader: what was not committed is lost, or sent again by its producer."""
        for flight in [item for item in self.flights if not item.acknowledged]:
            for timer in flight.timers:
                timer.cancel()
            self.flights.remove(flight)
            if self.random.random() < 0.6:
                flight.fate = flight.fate._replace(landings=(self.random.random() * DEADLINE * 1.5,))
                self.take(flight)

    def truncate(self, count: int) -> None:
        """Lose the last *count* messages although they were acknowledged, but not the opening of the log."""
        opening = next((item.offset for item in self.log if item and "log" in dict(item.headers)), -1)
        self.cut_to(max(len(self.log) - count, opening + 1))

    def cut_to(self, length: int) -> None:
        """Lose everything from the offset *length* on."""
        self.cut += [message for message in self.log[length:] if message is not None]
        del self.log[length:], self.landed_at[length:]

    async def read(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        """Answer a fetch."""
        if wait and offset == len(self.log):
            grown = self._grown
            try:
                async with asyncio.timeout(_POLL):
                    await grown.wait()
            except TimeoutError:
                pass
        if offset > len(self.log):
            raise TruncatedError(f"the log ends at {len(self.log)}, below {offset}")
        count = self.random.choice((1, 2, 5, 500))
        page = self.log[offset : offset + count]
        return [message for message in page if message is not None], offset + len(page)

    async def last(self) -> int:
        """Answer ListOffsets."""
        return len(self.log)


class SimulatedTransport:
    """A node's connection to the broker; *dead* once the node is."""

    def __init__(self, broker: SimulatedBroker, loop: VirtualLoop, name: int) -> None:
        self.broker = broker
        self.loop = loop
        self.name = name
        self.dead = False
        self.sent = 0

    async def send(self, batch: Sequence[OutgoingMessage], meanwhile: Callable[[], None] = do_nothing) -> int:
        """Send in one piece; a renewed producer changes nothing about what is in flight."""
        self.sent += 1
        future: asyncio.Future[int] = self.loop.create_future()
        if not self.dead:
            fate = self.broker.fate(self)
            self.broker.take(
                Flight(list(batch), self, fate, lambda base: self._answer(future, base, None))
            ) if fate.landings else None
        meanwhile()
        return await self._within(future)

    async def renew(self) -> None:
        """Make a new producer, which takes some time."""
        await asyncio.sleep(self.broker.delay())

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        """Read."""
        return await self._call("fetch", lambda: self.broker.read(offset, wait=wait))

    async def end(self) -> int:
        """Ask for the end."""
        return await self._call("end", self.broker.last)

    async def close(self) -> None:
        """Release nothing."""

    async def _call(self, kind: str, work: Callable[[], Any]) -> Any:
        future: asyncio.Future[Any] = self.loop.create_future()
        broker = self.broker
        if not self.dead and not broker.unavailable and not broker.chance(broker.plan.unavailable):
            broker.loop.call_soon_threadsafe(
                lambda: broker.loop.create_task(self._served(future, broker.hold(self, kind), work))
            )
        return await self._within(future)

    async def _served(self, future: "asyncio.Future[Any]", hold: float, work: Callable[[], Any]) -> None:
        await asyncio.sleep(hold + self.broker.delay())
        result, error = None, None
        try:
            result = await work()
        except TruncatedError as truncated:
            error = truncated
        await asyncio.sleep(self.broker.delay())
        self._answer(future, result, error)

    def _answer(self, future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
        if not self.dead:
            self.loop.call_soon_threadsafe(_resolve, future, result, error)

    async def _within(self, future: "asyncio.Future[Any]") -> Any:
        try:
            async with asyncio.timeout(DEADLINE):
                return await future
        except TimeoutError as error:
            raise BrokerUnavailableError("no answer from the simulated broker") from error


def _resolve(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
