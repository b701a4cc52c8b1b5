"""Commands over HTTP: one a request, and 500 a request."""

from bench.api import BATCH, accepted, batches, creates
from bench.connection import run
from bench.filling import catch_up
from bench.load import open_loop
from bench.session import MeasureError, Session
from bench.statistics import percentile

_UNLOADED_RATE = 100.0
_BATCH_CONNECTIONS = 2


def commands(session: Session) -> None:
    """Create projects on 1, 16 and 64 connections, then at a rate that leaves the server mostly idle."""
    for connections in session.plan.connections:
        about = f"create commands, {connections} client{'s' if connections > 1 else ''}"
        session.closed(
            f"commands-{connections}", creates(session.token), about, "commands", connections=connections
        )
    about = f"create commands, {_UNLOADED_RATE:.0f}/s"
    at_rate(session, "commands-unloaded", about, _UNLOADED_RATE, connections=1)
    session.remember_memory("commands")


def at_rate(session: Session, name: str, about: str, rate: float, *, connections: int) -> None:
    """Create projects at *rate*, however slow the answers, as often as the plan says."""
    outcomes = []
    for _ in range(session.plan.repeats):
        outcome = run(
            open_loop(
                session.port,
                creates(session.token),
                rate=rate,
                seconds=session.plan.seconds,
                connections=connections,
            )
        )
        session.book.failed(name, session.name, outcome.errors)
        if not outcome.latencies:
            raise MeasureError(f"{session.name}: no command succeeded: {dict(outcome.errors)}")
        outcomes.append(outcome)
    session.latencies(name, outcomes, about)
    late = percentile(sorted(1000 * late for outcome in outcomes for late in outcome.late), 0.99)
    session.say(f"the generator sent up to {late:.2f} ms too late (p99), which the latencies do not include")


def batch(session: Session) -> None:
    """Create 500 projects a request."""
    session.closed(
        "batch",
        batches(session.token),
        f"{BATCH} create commands a request",
        "commands",
        connections=_BATCH_CONNECTIONS,
        units=accepted,
    )
    catch_up(session, "batches at full speed", "batch-catch-up")
    session.remember_memory("batch")
