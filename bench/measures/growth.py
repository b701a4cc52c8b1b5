"""The cost of commands and queries as the history grows."""

from collections.abc import Iterator

from bench.api import accepted, batches, create, creates, lists, reads
from bench.book import OURS
from bench.connection import ask, run
from bench.disturbance import Meter
from bench.filling import catch_up, fill
from bench.load import closed_loop
from bench.measures.startup import restart
from bench.outcome import Outcome, Units, one
from bench.session import MeasureError, Session
from bench.statistics import median, rounded, summarise

_SINGLES = 300
_BATCHES = 6
_LONGEST_SECONDS = 120.0


def growth(session: Session) -> None:
    """Measure commands, batches and queries at each size of the plan, then a start with that history."""
    stored = 0
    firsts: dict[str, float] = {}
    for size in session.plan.sizes if session.name == OURS else session.plan.sizes[:2]:
        stored += _fill(session, size, size - stored)
        stored += _at(session, size, firsts)
        restart(session, f"{size:,} events", f"{size}-events")


def _fill(session: Session, size: int, count: int) -> int:
    """Add *count* events; record the rate until queries include them; return how many were added."""
    filled, seconds = fill(session, count)
    if not filled:
        return 0
    lag = catch_up(session, f"filling up to {size:,} events", f"catch-up-{size}-events")
    about = f"create commands in batches up to {size:,} events, until queries include them all"
    session.add(f"visible-{size}-events", filled / (seconds + lag), "commands/s", "higher", about)
    return filled + 1


def _at(session: Session, size: int, firsts: dict[str, float]) -> int:
    """Measure with *size* events stored; return how many events that added."""
    answer = run(ask(session.port, create(session.token, "one of many")))
    if not answer.ok:
        raise MeasureError(f"{session.name}, {size} events: {answer.status} {answer.body[:500]!r}")
    key, token, added = answer.json()["id"], session.token, 1
    values: dict[str, list[float]] = {"append": [], "append-batch": [], "list": [], "get": []}
    others: list[float] = []
    for _ in range(session.plan.repeats):
        before, meter = session.server.cpu_seconds(), Meter()
        single = _loop(session, 1, _SINGLES, creates(token))
        batch = _loop(session, 2, _BATCHES, batches(token), units=accepted)
        added += single.answered + batch.answered
        values["append"].append(summarise(single.latencies).p50)
        values["append-batch"].append(batch.answered / batch.seconds)
        values["list"].append(summarise(_loop(session, 1, _SINGLES, lists(token)).latencies).p50)
        values["get"].append(summarise(_loop(session, 1, _SINGLES, reads(token, [key])).latencies).p50)
        others.append(meter.others(session.server.cpu_seconds() - before))
    _record(session, size, values, firsts, others)
    session.remember_memory(f"{size}-events")
    return added


def _record(
    session: Session, size: int, values: dict[str, list[float]], firsts: dict[str, float], others: list[float]
) -> None:
    where = f"with {size:,} events stored"
    for name, about in (
        ("append", "a create command"),
        ("list", "GET 20 projects"),
        ("get", "GET a project"),
    ):
        more = _against_first(firsts, name, values[name])
        session.add(
            f"{name}-{size}-events", values[name], "ms", "lower", f"{about} {where}, 1 client, p50", **more
        )
    more = _against_first(firsts, "append-batch", values["append-batch"])
    about = f"create commands in batches {where}"
    session.add(
        f"append-batch-{size}-events",
        values["append-batch"],
        "commands/s",
        "higher",
        about,
        othersCores=others,
        **more,
    )


def _against_first(firsts: dict[str, float], name: str, values: list[float]) -> dict[str, float]:
    """Return the median as a multiple of the one at the first size."""
    value = median(values)
    return {"toFirst": rounded(value / firsts.setdefault(name, value), 3)}


def _loop(
    session: Session, connections: int, most: int, requests: Iterator[bytes], units: Units = one
) -> Outcome:
    outcome = run(
        closed_loop(
            session.port,
            requests,
            connections=connections,
            seconds=_LONGEST_SECONDS,
            warmup=0,
            most=most,
            units=units,
        )
    )
    session.book.failed("growth", session.name, outcome.errors)
    if not outcome.latencies:
        raise MeasureError(f"{session.name}: nothing succeeded: {dict(outcome.errors)}")
    return outcome
