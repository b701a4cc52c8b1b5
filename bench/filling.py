"""Fill a contestant with events through its batch endpoint, and wait until queries include them."""

import asyncio
from time import perf_counter

from bench.api import BATCH, accepted, batches, list_after
from bench.connection import connected, run
from bench.load import closed_loop
from bench.session import MeasureError, Session

_CONNECTIONS = 2
_SLOWEST_PER_SECOND = 500
_LEAST_SECONDS = 60.0
_CATCH_UP_SECONDS = 300.0
_RETRY_SECONDS = 0.02
_NOT_YET = 503


def fill(session: Session, count: int) -> tuple[int, float]:
    """Create at least *count* projects, one event each; return their number and the seconds that it took.

    Raises MeasureError where some were refused.
    """
    if count <= 0:
        return 0, 0.0
    requests = -(-count // BATCH)
    outcome = run(
        closed_loop(
            session.port,
            batches(session.token),
            connections=_CONNECTIONS,
            warmup=0,
            most=requests,
            seconds=_LEAST_SECONDS + count / _SLOWEST_PER_SECOND,
            units=accepted,
        )
    )
    if outcome.answered < count:
        raise MeasureError(f"{session.name}: filled {outcome.answered} of {count}: {dict(outcome.errors)}")
    return outcome.answered, outcome.seconds


def catch_up(session: Session, after: str, name: str) -> float:
    """Record how long queries lag after a last command; return the seconds. This adds one event."""
    seconds = run(_caught_up(session))
    about = f"from the last command's answer until a query at its position is answered, after {after}"
    session.add(name, 1000 * seconds, "ms", "lower", about)
    return seconds


async def _caught_up(session: Session) -> float:
    """Return the seconds from a command's answer until a list at its position is answered."""
    async with connected(session.port, 1) as (connection,):
        created = await connection.ask(next(batches(session.token, 1)))
        began = perf_counter()
        position = created.header("CodePark-Position")
        if accepted(created) != 1 or position is None:
            raise MeasureError(f"{session.name} refused a command: {created.status} {created.body[:300]!r}")
        query = list_after(session.token, position)
        while perf_counter() - began < _CATCH_UP_SECONDS:
            answer = await connection.ask(query)
            if answer.ok:
                return perf_counter() - began
            if answer.status != _NOT_YET:
                raise MeasureError(f"{session.name}: {answer.status} {answer.body[:300]!r}")
            await asyncio.sleep(_RETRY_SECONDS)
    raise MeasureError(f"{session.name}: queries had not caught up after {_CATCH_UP_SECONDS:.0f} s")
