"""A node of the model: the production log and bus over a simulated transport, and how nodes forward."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from commands.kafka.node.bus import KafkaCommandBus
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.prefetch.message import PrefetchedBatch, prefetch_message
from commands.kafka.protocol.transport import BrokerUnavailableError, TruncatedError
from commands.kafka.settings import KafkaSettings
from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from commands.outcomes import Outcome, Submission
from tests.simulation.broker import SimulatedTransport

if TYPE_CHECKING:
    from tests.simulation.world import World

_FORWARD_SECONDS = 0.4
_HEARTBEAT_SECONDS = 3.0
_FAR = 5
_BATCHES = 3
_SETTINGS = KafkaSettings(bootstrap_servers="simulated:0")


class _Prefetcher:
    """Prefetches a few batches of a far end, and leaves the rest to the follower."""

    def __init__(self, transport: SimulatedTransport) -> None:
        self._transport = transport

    async def batches(self, start: int, end: int) -> AsyncGenerator[PrefetchedBatch]:
        for _ in range(_BATCHES if end - start >= _FAR else 0):
            try:
                messages, after = await self._transport.fetch(start, wait=True)
            except (BrokerUnavailableError, TruncatedError):
                return
            if start == after or after > end:
                return
            yield PrefetchedBatch([prefetch_message(message) for message in messages], after)
            start = after


class _Keys:
    """Keys in memory."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def get(self, subject: str) -> bytes | None:
        return self._keys.get(subject)

    def ensure(self, subjects: Any) -> None:
        for subject in subjects:
            self._keys.setdefault(subject, bytes(32))

    def close(self) -> None:
        pass


MAPPER = EventMapper(PersonalCipher(_Keys()))


class Answer:
    """An outcome, the node that gave it in which of its lives, and whether that node alone was asked."""

    def __init__(self, outcome: Outcome, node: "Node", *, alone: bool) -> None:
        self.outcome = outcome
        self.by = (node.number, node.life)
        self.alone = alone


class Node:
    """One process; `boot` starts it, `crash` ends it in the middle of its work."""

    def __init__(self, world: "World", number: int, folder: Path) -> None:
        self.world = world
        self.number = number
        self.life = 0
        self.alive = False
        self.alarms = 0
        self.skew = world.random.randrange(-500, 500)
        self._folder = folder / f"node-{number}"
        self._old = folder / f"old-{number}"
        self._distrusted: dict[int, float] = {}

    def boot(self) -> None:
        """Start with the replica that is there, if any."""
        self.life += 1
        self.loop = self.world.scheduler.loop()
        self.transport = SimulatedTransport(self.world.broker, self.loop, self.number)
        thread: Any = SimpleNamespace(loop=self.loop)
        self.log = KafkaEventLog(
            _SETTINGS,
            MAPPER,
            self._folder,
            thread,
            0,
            transport=self.transport,
            prefetcher=_Prefetcher(self.transport),
        )
        self.bus = KafkaCommandBus(self.log, lambda: int(self.loop.time() * 1000) + 10_000 + self.skew)
        self.alive = True  # only now: a boot that is interrupted leaves nothing for `crash` to close
        self._count_alarms()
        name = f"log-{self.number}-{self.life}"
        self.loop.call_soon(lambda: self.log.partition.follow(lambda: (name, 1)))

    def _count_alarms(self) -> None:
        """Count how often a replica that holds something is dropped."""
        partition = self.log.partition
        rebuild = partition._rebuild

        def counted(fork: int | None) -> None:
            self.alarms += partition.checkpoint.opened
            rebuild(fork)

        partition._rebuild = counted

    def crash(self) -> None:
        """Lose everything but the replica's file."""
        if not self.alive:
            return
        self.alive = False
        self.transport.dead = True
        self.world.scheduler.end(self.loop)
        if self.log._reader is not None:
            self.log._reader.close()
        self.log._replica.close()
        self._distrusted.clear()

    def stall(self, seconds: float) -> None:
        """Run nothing for a while; what was sent before still arrives."""
        self.loop.stalled_until = self.world.scheduler.now + seconds

    def lose_replica(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def keep_copy(self) -> None:
        """Copy the replica of a node that is down."""
        shutil.rmtree(self._old, ignore_errors=True)
        if self._folder.exists():
            shutil.copytree(self._folder, self._old)

    def restore_copy(self) -> None:
        """Put the copy back, however old it is."""
        if self._old.exists():
            self.lose_replica()
            shutil.copytree(self._old, self._folder)

    def deliver(self, submission: Submission, answer: Callable[[Answer], None], *, forwarded: bool) -> None:
        """Serve a request that has arrived; *answer* is called in this node's loop."""
        work = self._forwarded if forwarded else self._received

        async def serve() -> None:
            answer(await work(submission))

        if self.alive:
            self.loop.call_soon_threadsafe(lambda: self.loop.create_task(serve()))

    async def _forwarded(self, submission: Submission) -> Answer:
        return Answer((await self.bus.execute([submission]))[0], self, alone=True)

    async def _received(self, submission: Submission) -> Answer:
        """Ask the preferred node; if it is silent, carry the command out on this one."""
        preferred = self.world.preferred()
        alone = True
        if preferred is not self and self._distrusted.get(preferred.number, 0.0) <= self.loop.time():
            attempt = structs.replace(submission, attempt=self.world.new_id("attempt"))
            answer = await self._ask(preferred, attempt)
            if answer is not None:
                answer.alone = False
                return answer
            self._distrusted[preferred.number] = self.loop.time() + _HEARTBEAT_SECONDS
            submission, alone = structs.replace(attempt, unanswered=True), False
        return Answer((await self.bus.execute([submission]))[0], self, alone=alone)

    async def _ask(self, other: "Node", submission: Submission) -> Answer | None:
        future: asyncio.Future[Answer] = self.loop.create_future()
        loop = self.loop

        def give(answer: Answer) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda: future.done() or future.set_result(answer))

        network = self.world.network
        network.carry(
            lambda: other.deliver(submission, lambda a: network.carry(lambda: give(a)), forwarded=True)
        )
        try:
            async with asyncio.timeout(_FORWARD_SECONDS):
                return await future
        except TimeoutError:
            return None
