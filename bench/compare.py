"""Compare two checkouts in one run, in turns: `python -m bench compare OLD_CHECKOUT [--only NAME...]`.

For each measure the old and the new checkout are measured one after the other, as often as there are rounds,
so that what else the machine does meets both. Each has a server of its own, over a data directory of its own.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.api import BATCH, accepted, batches, creates, file_writes, lists, reads
from bench.book import Book
from bench.checkout import Checkout
from bench.connection import run
from bench.facts import machine
from bench.load import closed_loop
from bench.measures.graphql import LISTED, fill_listed, guide_queries, without_errors
from bench.measures.queries import public_projects
from bench.outcome import Units, one
from bench.plan import Plan
from bench.session import MeasureError, Session
from bench.statistics import Better, advantage, median, rounded, summarise

OLD, NEW = "old", "new"
SIDES = (OLD, NEW)
HERE = Path(__file__).parents[1]
_PROGRAM = Path(__file__).with_name("append_program.py")
_ROUNDS = 7
_SECONDS = 3.0
_SETTLE_SECONDS = 0.5
_START_SECONDS = 60.0


@dataclass(frozen=True)
class HttpMeasure:
    """Requests that a server answers on so many *connections*; *unit* names what an answer counts as."""

    about: str
    unit: str
    connections: int
    requests: Callable[[Session, list[str]], Iterator[bytes]]
    units: Units = one


HTTP = {
    "get-project": HttpMeasure(
        "GET a project", "requests", 64, lambda session, ids: reads(session.token, ids)
    ),
    "list-20": HttpMeasure("GET 20 projects", "requests", 64, lambda session, _: lists(session.token)),
    "graphql": HttpMeasure(
        "the guide's GraphQL query over 20 projects",
        "requests",
        64,
        lambda session, _: guide_queries(session.token),
        without_errors,
    ),
    "put-file": HttpMeasure(
        "PUT a file", "requests", 16, lambda session, ids: file_writes(session.token, ids)
    ),
    "command-1": HttpMeasure(
        "create commands, 1 client", "commands", 1, lambda session, _: creates(session.token)
    ),
    "command-64": HttpMeasure(
        "create commands, 64 clients", "commands", 64, lambda session, _: creates(session.token)
    ),
    "batch": HttpMeasure(
        f"{BATCH} create commands a request",
        "commands",
        2,
        lambda session, _: batches(session.token),
        accepted,
    ),
}
APPENDS = {"append-1": 1, "append-100": 100}
NAMES = (*HTTP, *APPENDS)


class Comparison:
    """The values of both sides for each measure, in the order of the rounds."""

    def __init__(self) -> None:
        self.measures: dict[str, dict[str, Any]] = {}
        self._values: dict[str, dict[str, list[float]]] = {}

    def add(self, name: str, side: str, value: float, *, unit: str, better: Better, about: str) -> None:
        """Add what one side reached in one round."""
        self.measures.setdefault(name, {"about": about, "unit": unit, "better": better})
        self._values.setdefault(name, {each: [] for each in SIDES})[side].append(value)

    def document(self) -> dict[str, Any]:
        """Return medians and ratios for JSON; a ratio above 1 favours the new checkout."""
        return {name: self.measures[name] | self._sides(name) for name in self.measures}

    def _sides(self, name: str) -> dict[str, Any]:
        better = self.measures[name]["better"]
        old, new = (self._values[name][side] for side in SIDES)
        rounds = [advantage(after, before, better) for before, after in zip(old, new, strict=True)]
        ratios = [rounded(ratio, 3) for ratio in rounds if ratio is not None]
        return {
            OLD: {"median": rounded(median(old)), "values": [rounded(value) for value in old]},
            NEW: {"median": rounded(median(new)), "values": [rounded(value) for value in new]},
            "ratio": rounded(median(ratios), 3) if ratios else None,
            "ratios": ratios,
        }


class Contest:
    """Both checkouts, their servers, and what was measured of them."""

    def __init__(self, checkouts: dict[str, Checkout], folder: Path, *, rounds: int, seconds: float) -> None:
        self.comparison = Comparison()
        self._checkouts, self._folder, self._rounds, self._seconds = checkouts, folder, rounds, seconds
        self._sessions: dict[str, tuple[Session, list[str]]] = {}

    def over_http(self, names: list[str], stack: ExitStack) -> None:
        """Start both servers and measure *names* of them in turns."""
        self._sessions = {side: self._served(side, stack) for side in SIDES}
        for name in names:
            for _ in range(self._rounds):
                for side in SIDES:
                    self._load(name, side)
        for _ in range(self._rounds):
            for side in SIDES:
                self._restart(side)

    def in_process(self, name: str) -> None:
        """Append events in a process of each checkout, in turns."""
        size = APPENDS[name]
        about = f"append {size} event{'s' if size > 1 else ''} of 256 bytes in process"
        for _ in range(self._rounds):
            for side in SIDES:
                folder = tempfile.mkdtemp(prefix=f"{name}-{side}-", dir=self._folder)
                arguments = [str(_PROGRAM), folder, str(size), str(self._seconds)]
                rate = float(self._checkouts[side].run(arguments, self._seconds + _START_SECONDS))
                self.comparison.add(name, side, rate, unit="events/s", better="higher", about=about)
                _say(f"{side}: {about}: {rate:,.0f} events/s")

    def _served(self, side: str, stack: ExitStack) -> tuple[Session, list[str]]:
        """Return a running server of the checkout, and the ids of its public projects."""
        folder = self._folder / side
        folder.mkdir()
        codepark = self._checkouts[side].codepark(folder)
        server, _ = codepark.serve()
        plan = replace(Plan.of(quick=True, data=None), seconds=self._seconds)
        session = Session(side, server, codepark.token(), Book(), plan, _say, codepark.serve)
        stack.callback(session.stop)
        ids = run(public_projects(session))
        run(fill_listed(session, ids[-LISTED:]))
        return session, ids

    def _restart(self, side: str) -> None:
        session, _ = self._sessions[side]
        milliseconds = 1000 * session.restart()
        about = "start until ready, with the events of the measures above"
        self.comparison.add("startup", side, milliseconds, unit="ms", better="lower", about=about)
        _say(f"{side}: {about}: {milliseconds:,.0f} ms")

    def _load(self, name: str, side: str) -> None:
        session, ids = self._sessions[side]
        measure = HTTP[name]
        before = session.server.cpu_seconds()
        outcome = run(
            closed_loop(
                session.port,
                measure.requests(session, ids),
                connections=measure.connections,
                seconds=self._seconds,
                warmup=_SETTLE_SECONDS,
                units=measure.units,
            )
        )
        if outcome.errors or not outcome.answered:
            raise MeasureError(f"{side}: {measure.about}: {dict(outcome.errors) or 'nothing was answered'}")
        latencies = summarise(outcome.latencies)
        cpu = 1000 * (session.server.cpu_seconds() - before) / outcome.answered
        about, one_unit = measure.about, measure.unit.rstrip("s")
        add = self.comparison.add
        add(f"{name}-rate", side, outcome.rate, unit=f"{measure.unit}/s", better="higher", about=about)
        add(f"{name}-p50", side, latencies.p50, unit="ms", better="lower", about=f"{about}, p50")
        add(f"{name}-p99", side, latencies.p99, unit="ms", better="lower", about=f"{about}, p99")
        add(f"{name}-cpu", side, cpu, unit=f"ms/{one_unit}", better="lower", about=f"{about}, processor time")
        _say(f"{side}: {about}: {outcome.rate:,.0f} {measure.unit}/s, p50 {latencies.p50:.2f} ms")


def compare(
    checkouts: dict[str, Checkout], names: list[str], *, rounds: int, seconds: float
) -> dict[str, Any]:
    """Return the JSON document of a comparison.

    Raises CheckoutError, ServerError, and MeasureError where a server refuses what it should answer.
    """
    load = round(os.getloadavg()[0], 2)
    for checkout in checkouts.values():
        checkout.check()
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as name:
        contest = Contest(checkouts, Path(name), rounds=rounds, seconds=seconds)
        for chosen in names:
            if chosen in APPENDS:
                contest.in_process(chosen)
        if over_http := [chosen for chosen in names if chosen in HTTP]:
            with ExitStack() as stack:
                contest.over_http(over_http, stack)
    return {
        "machine": machine(),
        "rounds": rounds,
        "seconds": seconds,
        "loadBefore": load,
        **{
            side: {"path": str(checkout.root), "commit": checkout.commit}
            for side, checkout in checkouts.items()
        },
        "ratio": "how many times better the new checkout is, median of the rounds; below 1 the old is better",
        "results": contest.comparison.document(),
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Compare, print a table to the standard error stream and the JSON to standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m bench compare",
        description="Measure another checkout and this one in one run, in turns.",
    )
    parser.add_argument(
        "old", type=Path, metavar="OLD_CHECKOUT", help="the root of the checkout to compare with"
    )
    parser.add_argument("--new", type=Path, default=HERE, metavar="CHECKOUT", help="default: this checkout")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES)
    )
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often each is measured")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="how long each time")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON there too")
    chosen = parser.parse_args(arguments)
    document = compare(
        {OLD: Checkout(chosen.old), NEW: Checkout(chosen.new)},
        [name for name in NAMES if name in chosen.only],
        rounds=chosen.rounds,
        seconds=chosen.seconds,
    )
    text = json.dumps(document, indent=2)
    if chosen.out is not None:
        chosen.out.write_text(text + "\n")
    for name, entry in document["results"].items():
        old, new = entry[OLD]["median"], entry[NEW]["median"]
        _say(f"{name:18} {old:>12,.3f} -> {new:>12,.3f} {entry['unit']:12} ratio {entry['ratio']}")
    print(text)
    return 0
