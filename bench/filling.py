"""Fill a running contestant with events, through its batch endpoint."""

from bench.api import BATCH, accepted, batches
from bench.connection import run
from bench.load import closed_loop
from bench.session import MeasureError, Session

_CONNECTIONS = 2
_SLOWEST_PER_SECOND = 500
_LEAST_SECONDS = 60.0


def fill(session: Session, count: int) -> int:
    """Create at least *count* projects, one event each; return how many; raise MeasureError where some were refused."""
    if count <= 0:
        return 0
    requests = -(-count // BATCH)
    outcome = run(
        closed_loop(
            session.port, batches(session.token), connections=_CONNECTIONS, warmup=0, most=requests,
            seconds=_LEAST_SECONDS + count / _SLOWEST_PER_SECOND, units=accepted,
        )
    )  # fmt: skip
    if outcome.answered < count:
        raise MeasureError(f"{session.name}: filled {outcome.answered} of {count}: {dict(outcome.errors)}")
    return outcome.answered
