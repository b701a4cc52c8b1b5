"""Lag in the cluster profile: from a command's answer until a query at its position is answered from MongoDB.

The query reads the created project by its id. A list would measure how the server sorts: the test server that
speaks MongoDB's protocol sorts all documents for each list.
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
_NOT_YET = 503
_RETRY_SECONDS = 0.01
_LONGEST_SECONDS = 30.0
_LAG = "codepark_projection_lag_seconds_bucket"


def cluster_lag(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Send 1,000 commands a second, ten a request; read the last project of each answer at its position."""
    with installed(servers, folder) as installation:
        # The node comes first and creates the topic: a worker would notice a new topic only after minutes.
        session = installation.session(book, plan, say)
        worker = installation.worker()
        catch_up(session, "the start of a worker", "cluster-first-projection")
        before = metrics(worker.port) or {}
        outcomes = [run(_measure(session)) for _ in range(plan.repeats)]
        about = (
            f"from a command's answer until a query at its position is answered from MongoDB, {RATE:,.0f}/s"
        )
        session.latencies("cluster-lag", outcomes, about)
        for outcome in outcomes:
            book.failed("cluster-lag", session.name, outcome.errors)
        after = metrics(worker.port) or {}
        grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
        session.add(
            "cluster-lag-metric",
            1000 * bound(grown, _LAG, 0.99),
            "ms",
            "lower",
            "from an event's time to its documents, upper bound of the p99 in the worker's own histogram",
            buckets=cumulated(grown, _LAG),
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
        project = json.loads(created.body)["results"][-1]["target"]
        await _until_shown(connection, read_after(session.token, project, position), acknowledged, outcome)
    except (ConnectionError, TimeoutError) as error:
        outcome.errors[type(error).__name__] += 1
    finally:
        idle.put_nowait(connection)


async def _until_shown(connection: Connection, query: bytes, since: float, outcome: Outcome) -> None:
    """Ask until the answer includes the position; a server that has waited too long answers 503."""
    while True:
        answer = await connection.ask(query)
        taken = perf_counter() - since
        if answer.ok:
            outcome.latencies.append(taken)
            return
        if answer.status != _NOT_YET or taken > _LONGEST_SECONDS:
            outcome.errors[str(answer.status)] += 1
            return
        await asyncio.sleep(_RETRY_SECONDS)


def cumulated(values: Mapping[str, float], name: str) -> dict[str, float]:
    """Return a histogram's counts by their upper bounds, over all labels."""
    counts: dict[str, float] = {}
    for key, value in values.items():
        if key.startswith(f"{name}{{"):
            upper = key.partition('le="')[2].partition('"')[0]
            counts[upper] = counts.get(upper, 0.0) + value
    return counts


def bound(values: Mapping[str, float], name: str, share: float) -> float:
    """Return the upper bound of the first bucket with a *share* of a histogram's values at or below it."""
    counts = cumulated(values, name)
    total = counts.get("+Inf", 0.0)
    for upper in sorted(counts, key=float):
        if total and counts[upper] >= share * total:
            return float(upper)
    raise MeasureError(f"the worker shows no {name}")
