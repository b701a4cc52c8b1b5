"""Lag in the cluster profile: from a command's answer until MongoDB shows it to a query that asks for its position.

The query is for what the command made, by its id: a list would measure how a server sorts, and the one that stands for
MongoDB where there is none sorts all documents for each.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter

from bench.api import accepted, batches, read_after
from bench.book import Book
from bench.clusters import Servers, installed, metrics
from bench.connection import Connection, connected, run
from bench.filling import catch_up
from bench.outcome import Outcome
from bench.plan import Plan
from bench.session import MeasureError, Say, Session

RATE = 1_000.0
_BATCH = 10
_CONNECTIONS = 32
_BEHIND = 503
_RETRY_SECONDS = 0.01
_LONGEST_SECONDS = 30.0
_LATE = "codepark_projection_lag_seconds_bucket"


def cluster_lag(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Send a thousand commands a second, ten a request; after each answer ask for the last project at its position."""
    with installed(servers, folder) as installation:
        session = installation.session(
            book, plan, say
        )  # first: a worker does not hear of a new topic for long
        worker = installation.worker()
        catch_up(session, "the start of a worker", "cluster-first-projection")
        before = metrics(worker.port) or {}
        found = [run(_measure(session)) for _ in range(plan.repeats)]
        about = f"command answered to query answered at its position from MongoDB, {RATE:,.0f} commands/s"
        session.latencies("cluster-lag", found, about)
        for outcome in found:
            book.failed("cluster-lag", session.name, outcome.errors)
        told = {name: value - before.get(name, 0.0) for name, value in (metrics(worker.port) or {}).items()}
        session.add(
            "cluster-lag-metric",
            1000 * bound(told, _LATE, 0.99),
            "ms",
            "lower",
            "from an event's time to its documents, p99 of the worker's own histogram, upper bound",
            buckets=cumulated(told, _LATE),
        )
        session.remember_memory("cluster-lag")


async def _measure(session: Session) -> Outcome:
    outcome, requests = Outcome(), batches(session.token, _BATCH)
    async with connected(session.port, _CONNECTIONS) as opened:
        idle: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in opened:
            idle.put_nowait(connection)
        begin, every = perf_counter(), _BATCH / RATE
        async with asyncio.TaskGroup() as pairs:
            for index in range(int(session.plan.seconds / every)):
                await asyncio.sleep(max(begin + index * every - perf_counter(), 0))
                pairs.create_task(_pair(session, await idle.get(), idle, requests, outcome))
        outcome.seconds = perf_counter() - begin
    if not outcome.latencies:
        raise MeasureError(f"no query at a position was answered: {dict(outcome.errors)}")
    return outcome


async def _pair(
    session: Session,
    connection: Connection,
    idle: asyncio.Queue[Connection],
    requests: Iterator[bytes],
    outcome: Outcome,
) -> None:
    try:
        created = await connection.ask(next(requests))
        acknowledged = perf_counter()
        position = created.header("CodePark-Position")
        if accepted(created) != _BATCH or position is None:
            outcome.errors[f"create {created.status}"] += 1
            return
        made = json.loads(created.body)["results"][-1]["target"]
        await _shown(connection, read_after(session.token, made, position), acknowledged, outcome)
    except (ConnectionError, TimeoutError) as error:
        outcome.errors[type(error).__name__] += 1
    finally:
        idle.put_nowait(connection)


async def _shown(connection: Connection, asked: bytes, since: float, outcome: Outcome) -> None:
    """Ask until the answer includes the position: a server that has waited long enough says 503, not yet."""
    while True:
        answer = await connection.ask(asked)
        taken = perf_counter() - since
        if answer.ok:
            outcome.latencies.append(taken)
            return
        if answer.status != _BEHIND or taken > _LONGEST_SECONDS:
            outcome.errors[str(answer.status)] += 1
            return
        await asyncio.sleep(_RETRY_SECONDS)


def cumulated(found: Mapping[str, float], name: str) -> dict[str, float]:
    """Return a histogram's counts by their upper bounds, over all labels."""
    counts: dict[str, float] = {}
    for key, value in found.items():
        if key.startswith(f"{name}{{"):
            upper = key.partition('le="')[2].partition('"')[0]
            counts[upper] = counts.get(upper, 0.0) + value
    return counts


def bound(found: Mapping[str, float], name: str, share: float) -> float:
    """Return the upper bound of the bucket that *share* of a histogram's values lie in or below."""
    counts = cumulated(found, name)
    total = counts.get("+Inf", 0.0)
    for upper in sorted(counts, key=float):
        if total and counts[upper] >= share * total:
            return float(upper)
    raise MeasureError(f"the worker shows no {name}")
