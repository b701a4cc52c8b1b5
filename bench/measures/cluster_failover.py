"""How long a command waits for its answer while the preferred node is killed or suspended."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.api import create
from bench.book import OURS, Book
from bench.clusters import Installation, Servers, installed
from bench.connection import connected, run
from bench.plan import Plan
from bench.processes import Server
from bench.session import MeasureError, Say
from bench.statistics import summarise
from bench.wire import WireError
from commands.nodes.preference import preferred
from devservers.ports import free_port

_CONNECTIONS = 4
_BEFORE_SECONDS = 1.5
_AFTER_SECONDS = 2.0
_HEARTBEATS_SECONDS = 4.0


def cluster_failover(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Send commands to one of two nodes, and kill or suspend the other one, which is preferred, meanwhile."""
    faults: tuple[tuple[str, str, Callable[[Server], None]], ...] = (
        ("killed", "is killed", Server.kill),
        ("stopped", "is suspended", Server.pause),
    )
    for _ in range(plan.repeats):
        for name, what, fault in faults:
            run_folder = folder / f"{name}-{len(list(folder.iterdir()))}"
            run_folder.mkdir()
            with installed(servers, run_folder) as installation:
                normal, worst, errors = _measure(installation, fault)
            about = f"longest wait for a command's answer from the other node while the preferred one {what}"
            book.failed(f"cluster-failover-{name}", OURS, errors)
            book.add(
                f"cluster-failover-{name}",
                OURS,
                1000 * worst,
                unit="ms",
                better="lower",
                about=about,
                normalP50=round(summarise(normal).p50, 2),
                normalP99=round(summarise(normal).p99, 2),
            )
            say(f"{about}: {1000 * worst:,.0f} ms")


def _measure(
    installation: Installation, fault: Callable[[Server], None]
) -> tuple[list[float], float, Counter[str]]:
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    nodes = {address: installation.node(number, address=address) for number, address in enumerate(addresses)}
    first = nodes.pop(preferred(addresses, 0) or "")
    (other,) = nodes.values()
    token = installation.codepark().token()
    try:
        return run(_through(other.port, token, lambda: fault(first)))
    finally:
        first.resume()


async def _through(
    port: int, token: str, fault: Callable[[], None]
) -> tuple[list[float], float, Counter[str]]:
    """Return the latencies before the fault, the longest one of later answers, and the errors."""
    answered: list[tuple[float, float]] = []
    errors: Counter[str] = Counter()
    names = itertools.count()
    ended = asyncio.Event()

    async def send() -> None:
        async with connected(port, 1) as (connection,):
            while not ended.is_set():
                began = perf_counter()
                try:
                    answer = await connection.ask(create(token, f"project {next(names)}"))
                except (ConnectionError, TimeoutError, WireError) as error:
                    errors[type(error).__name__] += 1
                    return
                if answer.ok:
                    answered.append((began, perf_counter()))
                else:
                    errors[str(answer.status)] += 1

    await asyncio.sleep(_HEARTBEATS_SECONDS)  # after its next heartbeat each node knows the other
    async with asyncio.TaskGroup() as senders:
        for _ in range(_CONNECTIONS):
            senders.create_task(send())
        await asyncio.sleep(_BEFORE_SECONDS)
        moment = perf_counter()
        await asyncio.to_thread(fault)
        await asyncio.sleep(_AFTER_SECONDS)
        ended.set()
    normal = [end - began for began, end in answered if end < moment]
    after = [end - began for began, end in answered if end >= moment]
    if not normal or not after:
        raise MeasureError(f"{len(normal)} commands before the fault, {len(after)} after: {dict(errors)}")
    return normal, max(after), errors
