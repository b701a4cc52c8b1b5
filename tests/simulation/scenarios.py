"""Scripts that reach a critical situation directly; a sound protocol passes each of them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random

from commands.outcomes import Accepted, Refused, Submission
from domain.account.commands import RegisterAccount
from tests.simulation.broker import LOST, SILENT, Fate
from tests.simulation.clients import create, rename, submission
from tests.simulation.faults import SMALL, Plan
from tests.simulation.foreign import forged, garbage
from tests.simulation.history import History
from tests.simulation.node import Node
from tests.simulation.runs import Script
from tests.simulation.world import World

_CHANGING_TIMES = 6


async def insist(world: World, node: Node, make: Callable[[], Submission]) -> None:
    """Send new commands until one is accepted; the node may be reading the log again in the meantime."""
    for _ in range(20):
        request = await world.ask(node, make())
        if isinstance(request.outcome, Accepted):
            return
        await asyncio.sleep(0.5)
    world.problems.append(f"node {node.number} does not recover")


async def prepare(world: World) -> tuple[Node, Node]:
    """Wait for the nodes, create the project `p` at version 1, and let both know of it."""
    first, second = world.nodes
    await insist(world, first, lambda: create(world, "p"))
    await insist(world, second, lambda: create(world, "q"))
    await asyncio.sleep(0.5)
    return first, second


def sends(world: World, *fates: Fate) -> None:
    """Give the next sends of node 0 these *fates*, one after the other."""
    remaining = list(fates)
    world.broker.direct = lambda sender: remaining.pop(0) if sender.name == 0 and remaining else None


async def duel(world: World) -> None:
    """Two nodes append on the same tip at the same time."""
    first, second = await prepare(world)
    for index in range(_CHANGING_TIMES):
        await asyncio.gather(
            world.ask(first, rename(world, "p", f"one-{index}")),
            world.ask(second, rename(world, "p", f"two-{index}")),
        )


async def lost_batch(world: World) -> None:
    """A batch is lost without notice, and another node moves the tip."""
    first, second = await prepare(world)
    sends(world, LOST)
    pending = asyncio.create_task(world.ask(first, rename(world, "p", "one", expected=1)))
    await asyncio.sleep(1.0)
    await world.ask(second, rename(world, "p", "two"))
    await pending


async def silent_batch(world: World) -> None:
    """A batch counts without an acknowledgement, and the client asks the other node."""
    first, second = await prepare(world)
    sends(world, SILENT)
    wanted = rename(world, "p", "one", key="k")
    await world.ask(first, wanted, 1.0)
    await world.ask(second, wanted)


async def other_past(world: World) -> None:
    """While a node is down, the log loses records that the node holds, and grows to its old length."""
    first, second = await prepare(world)
    await insist(world, first, lambda: rename(world, "p", "one"))
    await asyncio.sleep(0.5)
    second.crash()
    world.broker.truncate(1)
    await asyncio.sleep(1.5)  # the running node notices that
    await insist(world, first, lambda: rename(world, "p", "two"))
    second.boot()
    await asyncio.sleep(3.0)
    if second.log.tip().chain != History(world.broker).records[-1].chain:
        world.problems.append("a node works on a history that the log does not hold")


async def refused_in_vain(world: World) -> None:
    """A refusal rests on a command of its own batch, and the batch is lost."""
    first, _ = await prepare(world)
    sends(world, *[LOST] * 20)
    pending = [asyncio.create_task(world.ask(first, create(world, "other")))]
    await asyncio.sleep(0.6)
    for name in ("one", "two"):
        pending.append(asyncio.create_task(world.ask(first, rename(world, "p", name, expected=1))))
        await asyncio.sleep(0.6)
    await asyncio.gather(*pending)


async def late_reader(world: World) -> None:
    """A node that has not read an acknowledged command gets the next one."""
    first, second = await prepare(world)
    world.broker.hold = lambda sender, kind: 4.0 if sender.name == 1 and kind == "fetch" else 0.0
    await asyncio.sleep(1.0)
    await world.ask(first, rename(world, "p", "one"))
    await world.ask(second, rename(world, "p", "two", expected=2))


async def silent_forward(world: World) -> None:
    """The preferred node stalls with a forwarded command in its queue; the forwarding node refuses it."""
    world.prefer(1)
    first, second = await prepare(world)
    second.stall(4.0)
    before = asyncio.create_task(world.ask(second, rename(world, "p", "one", expected=1)))
    await asyncio.sleep(0.6)
    await world.ask(first, rename(world, "p", "two", key="k", expected=2))
    await before


async def unchanged_forward(world: World) -> None:
    """As `silent_forward`; the node that forwarded it finds nothing to change, and the other would."""
    world.prefer(1)
    first, second = await prepare(world)
    second.stall(4.0)
    before = asyncio.create_task(world.ask(second, rename(world, "p", "one")))
    await asyncio.sleep(0.6)
    await world.ask(first, rename(world, "p", "new"))
    await before


async def _in_limbo(world: World, meanwhile: Callable[[], None]) -> None:
    first, _ = await prepare(world)
    sends(world, Fate((2.0,)), Fate((14.0,), acknowledged=False), LOST, LOST, LOST)
    wanted = rename(world, "p", "two", key="k", expected=2)
    pending = [asyncio.create_task(world.ask(first, create(world, "other")))]
    await asyncio.sleep(0.6)
    pending.append(asyncio.create_task(world.ask(first, rename(world, "p", "one", expected=1))))
    await asyncio.sleep(0.6)
    pending.append(asyncio.create_task(world.ask(first, wanted)))
    await asyncio.gather(*pending)
    sends(world)
    meanwhile()
    await asyncio.sleep(0.5)
    await world.ask(first, wanted)
    await asyncio.sleep(8.0)


async def limbo(world: World) -> None:
    """A batch of two is in flight when its node gives up; by itself, the second command must be refused."""
    await _in_limbo(world, lambda: None)


async def limbo_and_alarm(world: World) -> None:
    """As `limbo`, and in the meantime the node has to read the log again."""
    await _in_limbo(world, lambda: void(world.broker.put([forged(len(world.broker.log))])))


def void(_: object) -> None:
    """Drop a result."""


async def ghost(world: World) -> None:
    """Between two reads of a slow node, the log loses records and grows beyond them."""
    first, second = await prepare(world)
    for name in ("one", "two"):
        await insist(world, first, lambda name=name: rename(world, "p", name))
    world.broker.hold = lambda sender, kind: 4.0 if sender.name == second.number and kind == "fetch" else 0.0
    await asyncio.sleep(1.0)
    world.broker.truncate(2)
    for index in range(_CHANGING_TIMES):
        await insist(world, first, lambda index=index: rename(world, "p", f"three-{index}"))
    await asyncio.sleep(6.0)


async def emptied(world: World) -> None:
    """The log loses everything, even its opening, while nodes run."""
    first, second = await prepare(world)
    world.broker.cut_to(0)
    for node in (first, second, first):
        await insist(world, node, lambda: create(world, world.new_id("again")))


async def cut_after_the_tip(world: World) -> None:
    """While a node is down, the log loses void records that the node has read."""
    first, second = await prepare(world)
    world.broker.put([garbage(Random(0), ()) for _ in range(3)])
    await asyncio.sleep(1.5)
    second.crash()
    world.broker.truncate(3)
    await asyncio.sleep(1.5)
    second.boot()
    world.broker.hold = lambda sender, kind: 4.0 if sender.name == second.number and kind == "fetch" else 0.0
    await asyncio.sleep(4.5)
    for name in ("one", "two", "three"):
        await insist(world, first, lambda name=name: rename(world, "p", name))
    await world.ask(second, rename(world, "p", "four", expected=4))


async def half_a_batch(world: World) -> None:
    """The second half of a batch that is cut in two loses against another node."""
    first, second = await prepare(world)
    sends(world, Fate((2.0,)), Fate(), Fate((2.0,)))
    pending = [asyncio.create_task(world.ask(first, create(world, "other")))]
    await asyncio.sleep(0.6)
    pending += [
        asyncio.create_task(world.ask(first, rename(world, "p", name))) for name in ("one", "two", "three")
    ]
    await asyncio.sleep(2.2)
    await world.ask(second, create(world, "foreign"))
    await asyncio.gather(*pending)


def register(world: World, number: int) -> Submission:
    """Return the registration of an account under a name that others want too."""
    command = RegisterAccount(
        account_id=f"01900000-0000-7000-8000-00000000001{number}",
        email=f"a{number}@b.example",
        name="ada",
        password_hash="x",
        email_claim=f"mail-{number}",
        name_claim="ada",
    )
    return submission(world, command)


async def slow_keys(world: World) -> None:
    """While one node waits for the keys of personal data, the other registers the name that both want."""
    first, second = await prepare(world)
    world.key_seconds = 0.5
    pending = asyncio.create_task(world.ask(first, register(world, 1)))
    await asyncio.sleep(0.2)
    world.key_seconds = 0.0
    await world.ask(second, register(world, 2))
    answer = (await pending).outcome
    if not isinstance(answer, Refused):
        world.problems.append(f"a name was given twice: {answer}")


_TWO = Plan(nodes=2, prefer=False, scripted=True)
SCENARIOS: dict[Script, Plan] = {
    **dict.fromkeys((duel, lost_batch, silent_batch, refused_in_vain, late_reader, limbo, slow_keys), _TWO),
    **dict.fromkeys((silent_forward, unchanged_forward), replace(_TWO, prefer=True)),
    limbo_and_alarm: replace(_TWO, forgeries=1),
    half_a_batch: replace(_TWO, batch_bytes=SMALL),
    **dict.fromkeys((other_past, ghost, emptied, cut_after_the_tip), replace(_TWO, truncations=1)),
}
