"""A run: nodes, a broker, a network, clients, and what goes wrong; then healing."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from commands.kafka.node import batch_cutter, event_log, settlement
from commands.outcomes import Accepted, Outcome, Submission
from tests.simulation.broker import SimulatedBroker
from tests.simulation.faults import Plan
from tests.simulation.foreign import forged, garbage
from tests.simulation.loop import Scheduler
from tests.simulation.node import Answer, Node

FAULTY_SECONDS = 12.0
_HEALING_SECONDS = 40.0
_PROBE_SECONDS = 30.0
_PROBES = 5
_LAST_SECONDS = 8.0
PATIENCE = 25.0


@dataclass
class Request:
    """One request of a client: when it was sent, and when it was answered (None: the client gave up)."""

    submission: Submission
    invoked: float
    answered: float | None = None
    outcome: Outcome | None = None
    by: tuple[int, int] | None = None
    alone: bool = False


class Network:
    """The network between clients and nodes, and among nodes: messages may be late or lost."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def carry(self, arrive: Callable[[], None]) -> None:
        world = self._world
        if not world.broker.chance(world.plan.net_lost):
            world.loop.call_soon_threadsafe(lambda: world.loop.call_later(world.broker.delay(), arrive))


class World:
    """Everything in one run; a plan determines it."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.random = Random(plan.seed)
        self.scheduler = Scheduler(self.random)
        self.loop = self.scheduler.loop()
        self.broker = SimulatedBroker(self.loop, self.random, plan)
        self.network = Network(self)
        self.nodes = [Node(self, number, folder) for number in range(plan.nodes)]
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.key_seconds = 0.0
        self._ids = 0
        self._preferred = self.random.randrange(plan.nodes)

    def new_id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._ids}"

    def preferred(self) -> Node:
        """Return the node that commands are forwarded to; it may change during a run."""
        return self.nodes[self._preferred]

    def prefer(self, number: int) -> None:
        self._preferred = number

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Let the production code use this run's random numbers."""
        with (
            patch.object(settlement, "random", self.random),
            patch.object(settlement, "uuid7", functools.partial(self.new_id, "id")),
            patch.object(event_log.asyncio, "to_thread", self._in_thread),
            patch.object(batch_cutter, "BATCH_BYTES", self.plan.batch_bytes),
        ):
            yield

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do the work that the log hands to a thread: making keys."""
        await asyncio.sleep(self.key_seconds)
        return work(*arguments)

    async def ask(
        self, node: Node, submission: Submission, patience: float = PATIENCE, *, direct: bool = False
    ) -> Request:
        """Send a request and wait for its answer; a *direct* one is not forwarded."""
        alone = direct or not self.plan.prefer
        request = Request(submission, self.loop.time())
        self.requests.append(request)
        future: asyncio.Future[Answer] = self.loop.create_future()

        def give(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.network.carry(
            lambda: node.deliver(
                submission, lambda answer: self.network.carry(lambda: give(answer)), forwarded=alone
            )
        )
        try:
            async with asyncio.timeout(patience):
                answer = await future
        except TimeoutError:
            return request
        request.answered, request.outcome = self.loop.time(), answer.outcome
        request.by, request.alone = answer.by, answer.alone
        return request

    def run(self, script: Callable[["World"], Coroutine[Any, Any, None]]) -> None:
        """Run *script* under the faults of the plan, then heal everything and probe each node."""
        for node in self.nodes:
            node.boot()
        task = self.loop.create_task(script(self))
        if not self.plan.scripted:
            self._plan_events()
        self.scheduler.run(FAULTY_SECONDS + PATIENCE * 3, task.done)
        self._finish(task)
        self._heal()
        self.scheduler.run(self.scheduler.now + _HEALING_SECONDS)
        if self.broker.flights:
            self.problems.append("a batch is still in flight")
        self._probe()
        self.scheduler.run(self.scheduler.now + _LAST_SECONDS)
        for loop in (self.loop, *(node.loop for node in self.nodes)):
            self.problems += [f"unhandled: {error!r}" for error in loop.faults]

    def close(self) -> None:
        for node in self.nodes:
            node.crash()
        self.scheduler.close()

    async def _insist(self, node: Node) -> None:
        from tests.simulation.clients import create

        for _ in range(_PROBES):
            probe = create(self, self.new_id("probe"))
            request = await self.ask(node, probe, _PROBE_SECONDS, direct=True)
            if isinstance(request.outcome, Accepted):
                return
            await asyncio.sleep(1.0)
        self.problems.append(f"node {node.number} accepts no command any more: {request.outcome}")

    def _finish(self, task: "asyncio.Task[None]") -> None:
        if task.done() and task.exception() is not None:
            raise task.exception() or AssertionError
        task.cancel()

    def _plan_events(self) -> None:
        plan, broker, draw = self.plan, self.broker, self.random
        kinds: list[tuple[int, Callable[[], Any]]] = [
            (plan.crashes, self._crash),
            (plan.stalls, self._stall),
            (plan.failovers, broker.fail_over),
            (
                plan.outages,
                lambda: setattr(broker, "unavailable_until", self.loop.time() + draw.random() * 12),
            ),
            (plan.garbage, lambda: broker.put([garbage(draw, broker.log)])),
            (plan.markers, lambda: broker.put([None] * draw.randint(1, 2))),
            (plan.forgeries, lambda: broker.put([forged(len(broker.log))])),
            (plan.truncations, lambda: broker.truncate(draw.randint(1, 6))),
            (plan.stalls + plan.crashes, lambda: self.prefer(draw.randrange(plan.nodes))),
        ]
        for count, event in kinds:
            for _ in range(count):
                self.loop.call_later(draw.random() * FAULTY_SECONDS, event)

    def _crash(self) -> None:
        node = self.random.choice(self.nodes)
        node.crash()
        fate = self.random.choice(("keep", "keep", "copy", "restore", "lose"))
        {
            "keep": lambda: None,
            "copy": node.keep_copy,
            "restore": node.restore_copy,
            "lose": node.lose_replica,
        }[fate]()
        self.loop.call_later(self.random.random() * 3, lambda: node.alive or node.boot())

    def _stall(self) -> None:
        node = self.random.choice(self.nodes)
        if node.alive:
            node.stall(self.random.random() * 8)

    def _heal(self) -> None:
        self.broker.quiet = True
        self.broker.direct, self.broker.hold = lambda _: None, lambda *_: 0.0
        for node in self.nodes:
            if node.alive:
                node.loop.stalled_until = 0.0
            else:
                node.boot()

    def _probe(self) -> None:
        """Let each node itself accept a command; what it appends would show a false history to all others."""

        async def probe() -> None:
            for _ in range(2 - self.plan.honest):
                for node in self.nodes:
                    await asyncio.sleep(
                        1.0
                    )  # so that it knows the end, and its record lies at the expected offset
                    await self._insist(node)

        task = self.loop.create_task(probe())
        self.scheduler.run(self.scheduler.now + 2 * _PROBE_SECONDS * _PROBES * len(self.nodes), task.done)
        self._finish(task)
