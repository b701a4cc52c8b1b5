"""Commands over HTTP through Kafka: to one node, and to three that append to the same log."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.api import creates
from bench.book import OURS, Book
from bench.census import census
from bench.clusters import Installation, Servers, installed
from bench.connection import run
from bench.contestants import POSTGRES_PEER, running
from bench.load import closed_loop
from bench.measures.commands import at_rate
from bench.outcome import Outcome
from bench.plan import Plan
from bench.postgres import PostgresMissingError
from bench.session import MeasureError, Say, Session
from bench.statistics import rounded, summarise

EMBEDDED = "CodePark, embedded"
RATE = 200.0
CLIENTS = 64
NODES = 3
_CONNECTIONS = 16
_WARM_SECONDS = 1.0


def cluster_commands(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Create projects through Kafka at a steady rate and on 64 connections; then the same on peers."""
    with installed(servers, folder) as installation:
        session = installation.session(book, plan, say)
        _measure(session)
        counted, void = run(census(installation.settings))
        say(f"the log has {counted:,} counted events and {void:,} void records")
        session.remember_memory("cluster-commands")
    for peer, name in ((OURS, EMBEDDED), (POSTGRES_PEER, POSTGRES_PEER)):
        peer_folder = folder / f"peer-{name[:8]}"
        peer_folder.mkdir()
        with _peer(peer, name, peer_folder, book, plan, say) as other:
            if other is not None:
                _measure(other)


def _measure(session: Session) -> None:
    run(closed_loop(session.port, creates(session.token), connections=1, seconds=_WARM_SECONDS))
    at_rate(
        session,
        "cluster-commands-steady",
        f"create commands (CodePark: through Kafka), {RATE:.0f}/s",
        RATE,
        connections=_CONNECTIONS,
    )
    session.closed(
        f"cluster-commands-{CLIENTS}",
        creates(session.token),
        f"create commands (CodePark: through Kafka), {CLIENTS} clients",
        "commands",
        connections=CLIENTS,
    )


@contextlib.contextmanager
def _peer(peer: str, name: str, folder: Path, book: Book, plan: Plan, say: Say) -> Iterator[Session | None]:
    """Run a contestant without Kafka as *name*; give None where it cannot be run."""
    with contextlib.ExitStack() as stack:
        try:
            session = stack.enter_context(running(peer, folder, Book(), plan, lambda _: None))
        except PostgresMissingError as error:
            book.leave_out(f"cluster-commands, {name}", str(error))
            yield None
            return
        session.name, session.book, session.say = name, book, say
        yield session


def cluster_conflict(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Append to one partition from three nodes that do not know each other; then count the log's records."""
    for _ in range(plan.repeats):
        for nodes in (1, NODES):
            run_folder = folder / f"{nodes}-{len(list(folder.iterdir()))}"
            run_folder.mkdir()
            with installed(servers, run_folder) as installation:
                outcome = _load(installation, nodes, plan.seconds)
                counted, void = run(census(installation.settings, "project.created"))
            book.failed("cluster-conflict", OURS, outcome.errors)
            if counted < outcome.answered:
                raise MeasureError(f"{outcome.answered} commands acknowledged, {counted} counted")
            _record(book, say, nodes, outcome, counted, void)
    share = book.entries[f"cluster-conflict-{NODES}-nodes-rate"].value(OURS) / book.entries[
        "cluster-conflict-1-node-rate"
    ].value(OURS)
    book.add(
        "cluster-conflict-share",
        OURS,
        share,
        unit="of the rate of one node",
        better="higher",
        about=f"create commands, {CLIENTS} clients: rate of {NODES} nodes in conflict compared with one node",
    )


def _record(book: Book, say: Say, nodes: int, outcome: Outcome, counted: int, void: int) -> None:
    where = "one node" if nodes == 1 else f"{nodes} nodes in conflict"
    name = f"cluster-conflict-{nodes}-node{'s' if nodes > 1 else ''}"
    about = f"create commands, {CLIENTS} clients, {where}"
    latencies = summarise(outcome.latencies)
    book.add(
        f"{name}-rate",
        OURS,
        outcome.rate,
        unit="commands/s",
        better="higher",
        about=about,
        acknowledged=outcome.answered,
        counted=counted,
        void=void,
        voidShare=rounded(void / max(counted + void, 1), 3),
    )
    book.add(f"{name}-p99", OURS, latencies.p99, unit="ms", better="lower", about=f"{about}, p99")
    say(
        f"{about}: {outcome.rate:,.0f} commands/s, p50 {latencies.p50:.1f} ms, p99 {latencies.p99:.1f} ms; "
        f"{outcome.answered:,} acknowledged, {counted:,} counted, {void:,} void"
    )


def _load(installation: Installation, nodes: int, seconds: float) -> Outcome:
    ports = [installation.node(number).port for number in range(nodes)]
    token = installation.codepark().token()
    return run(_together(ports, lambda: creates(token), seconds))


async def _together(ports: list[int], requests: Callable[[], Iterator[bytes]], seconds: float) -> Outcome:
    """Distribute 64 clients over the nodes; return their outcomes as one."""
    shares = [CLIENTS // len(ports) + (number < CLIENTS % len(ports)) for number in range(len(ports))]
    outcomes = await asyncio.gather(
        *(
            closed_loop(port, requests(), connections=share, seconds=seconds, warmup=_WARM_SECONDS)
            for port, share in zip(ports, shares, strict=True)
        )
    )
    return Outcome(
        seconds=max(outcome.seconds for outcome in outcomes),
        done=sum(outcome.done for outcome in outcomes),
        answered=sum(outcome.answered for outcome in outcomes),
        latencies=[latency for outcome in outcomes for latency in outcome.latencies],
        errors=sum((outcome.errors for outcome in outcomes), Counter[str]()),
    )
