"""Whether a command gets dearer as the history grows."""

from bench.api import accepted, batches, create, creates, lists, reads
from bench.book import OURS
from bench.connection import ask, run
from bench.filling import fill
from bench.load import closed_loop
from bench.measures.startup import restart
from bench.outcome import Outcome
from bench.session import MeasureError, Session
from bench.statistics import median, rounded, summarise

_SINGLES = 300
_BATCHES = 6
_LONGEST_SECONDS = 120.0


def growth(session: Session) -> None:
    """Measure single commands, batches and lists at each size of the plan, then a start with that history."""
    stored = 0
    firsts: dict[str, float] = {}
    for size in session.plan.sizes if session.name == OURS else session.plan.sizes[:2]:
        stored += fill(session, size - stored)
        stored += _at(session, size, firsts)
        restart(session, f"{size:,} events", f"{size}-events")


def _at(session: Session, size: int, firsts: dict[str, float]) -> int:
    """Measure at *size* stored events; return how many events that added."""
    key = run(ask(session.port, create(session.token, "one of many"))).json()["id"]
    token, added = session.token, 1
    found: dict[str, list[float]] = {"append": [], "append-batch": [], "list": [], "get": []}
    for _ in range(session.plan.repeats):
        single = _loop(session, 1, _SINGLES, creates(token))
        batch = _loop(session, 2, _BATCHES, batches(token), units=accepted)
        added += single.answered + batch.answered
        found["append"].append(summarise(single.latencies).p50)
        found["append-batch"].append(batch.answered / batch.seconds)
        found["list"].append(summarise(_loop(session, 1, _SINGLES, lists(token)).latencies).p50)
        found["get"].append(summarise(_loop(session, 1, _SINGLES, reads(token, [key])).latencies).p50)
    _record(session, size, found, firsts)
    session.remember_memory(f"{size}-events")
    return added


def _record(session: Session, size: int, found: dict[str, list[float]], firsts: dict[str, float]) -> None:
    where = f"with {size:,} events stored"
    for name, about in (
        ("append", "a create command"),
        ("list", "GET 20 projects"),
        ("get", "GET a project"),
    ):
        more = _against_first(firsts, name, found[name])
        session.add(
            f"{name}-{size}-events", found[name], "ms", "lower", f"{about} {where}, 1 client, p50", **more
        )
    more = _against_first(firsts, "append-batch", found["append-batch"])
    about = f"create commands in batches {where}"
    session.add(f"append-batch-{size}-events", found["append-batch"], "commands/s", "higher", about, **more)


def _against_first(firsts: dict[str, float], name: str, values: list[float]) -> dict[str, float]:
    """Return the value in relation to the one at the first size."""
    value = median(values)
    return {"toFirst": rounded(value / firsts.setdefault(name, value), 3)}


def _loop(session: Session, connections: int, most: int, requests, **more) -> Outcome:  # noqa: ANN001, ANN003
    outcome = run(
        closed_loop(
            session.port,
            requests,
            connections=connections,
            seconds=_LONGEST_SECONDS,
            warmup=0,
            most=most,
            **more,
        )
    )
    session.book.failed("growth", session.name, outcome.errors)
    if not outcome.latencies:
        raise MeasureError(f"{session.name}: nothing succeeded: {dict(outcome.errors)}")
    return outcome
