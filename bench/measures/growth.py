"""Whether a command gets dearer as the history grows."""

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
    """Measure single commands, batches and lists at each size of the plan, then a start with that history."""
    stored = 0
    firsts: dict[str, float] = {}
    for size in session.plan.sizes if session.name == OURS else session.plan.sizes[:2]:
        stored += _fill(session, size, size - stored)
        stored += _at(session, size, firsts)
        restart(session, f"{size:,} events", f"{size}-events")


def _fill(session: Session, size: int, count: int) -> int:
    """Add *count* events; record the rate at which they became visible to queries; return how many it were."""
    filled, seconds = fill(session, count)
    if not filled:
        return 0
    behind = catch_up(session, f"filling up to {size:,} events", f"catch-up-{size}-events")
    about = f"create commands in batches up to {size:,} events, until queries include them all"
    session.add(f"visible-{size}-events", filled / (seconds + behind), "commands/s", "higher", about)
    return filled + 1


def _at(session: Session, size: int, firsts: dict[str, float]) -> int:
    """Measure at *size* stored events; return how many events that added."""
    answer = run(ask(session.port, create(session.token, "one of many")))
    if not answer.ok:
        raise MeasureError(f"{session.name}, {size} events: {answer.status} {answer.body[:500]!r}")
    key, token, added = answer.json()["id"], session.token, 1
    found: dict[str, list[float]] = {"append": [], "append-batch": [], "list": [], "get": []}
    others: list[float] = []
    for _ in range(session.plan.repeats):
        before, meter = session.server.cpu_seconds(), Meter()
        single = _loop(session, 1, _SINGLES, creates(token))
        batch = _loop(session, 2, _BATCHES, batches(token), units=accepted)
        added += single.answered + batch.answered
        found["append"].append(summarise(single.latencies).p50)
        found["append-batch"].append(batch.answered / batch.seconds)
        found["list"].append(summarise(_loop(session, 1, _SINGLES, lists(token)).latencies).p50)
        found["get"].append(summarise(_loop(session, 1, _SINGLES, reads(token, [key])).latencies).p50)
        others.append(meter.others(session.server.cpu_seconds() - before))
    _record(session, size, found, firsts, others)
    session.remember_memory(f"{size}-events")
    return added


def _record(
    session: Session, size: int, found: dict[str, list[float]], firsts: dict[str, float], others: list[float]
) -> None:
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
    session.add(
        f"append-batch-{size}-events",
        found["append-batch"],
        "commands/s",
        "higher",
        about,
        othersCores=others,
        **more,
    )


def _against_first(firsts: dict[str, float], name: str, values: list[float]) -> dict[str, float]:
    """Return the value in relation to the one at the first size."""
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
