"""A running contestant, and the book that its values go into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.book import Book
from bench.connection import run
from bench.disturbance import Meter
from bench.load import closed_loop
from bench.outcome import Outcome, Units, one
from bench.plan import Plan
from bench.processes import Server
from bench.statistics import Better, summarise

MIB = 2**20
Starter = Callable[[], tuple[Server, float]]
Say = Callable[[str], None]
_SETTLE_SECONDS = 0.5


class MeasureError(Exception):
    """A measure met something that makes its values worthless."""


@dataclass
class Session:
    """A running contestant; *serve* starts it again on the same data."""

    name: str
    server: Server
    token: str | None
    book: Book
    plan: Plan
    say: Say
    serve: Starter

    @property
    def port(self) -> int:
        """Return the port that the contestant listens on."""
        return self.server.port

    def stop(self) -> None:
        """Stop the server."""
        self.server.stop()

    def restart(self) -> float:
        """Stop the server and start it again on the same data; return the seconds until it was ready."""
        self.server.stop()
        self.server, seconds = self.serve()
        return seconds

    def add(
        self, name: str, values: float | list[float], unit: str, better: Better, about: str, **more: Any
    ) -> None:
        """Add values of this contestant to the book."""
        self.book.add(name, self.name, values, unit=unit, better=better, about=about, **more)
        shown = values if isinstance(values, int | float) else sorted(values)[len(values) // 2]
        self.say(f"{self.name}: {about}: {shown:,.2f} {unit}")

    def remember_memory(self, phase: str) -> None:
        """Record the resident memory after *phase*."""
        resident = self.server.resident_bytes() / MIB
        self.add(f"memory-{phase}", resident, "MiB", "lower", f"resident memory after {phase}")

    def closed(
        self,
        name: str,
        requests: Iterator[bytes],
        about: str,
        unit: str,
        *,
        connections: int,
        units: Units = one,
    ) -> None:
        """Run a closed loop as often as the plan says; record the rate, percentiles and processor time."""
        outcomes: list[Outcome] = []
        cpu: list[float] = []
        others: list[float] = []
        for _ in range(self.plan.repeats):
            before, meter = self.server.cpu_seconds(), Meter()
            outcome = run(
                closed_loop(
                    self.port,
                    requests,
                    connections=connections,
                    seconds=self.plan.seconds,
                    warmup=_SETTLE_SECONDS,
                    units=units,
                )
            )
            self.book.failed(name, self.name, outcome.errors)
            if not outcome.latencies:
                raise MeasureError(f"{self.name}: {about}: nothing succeeded: {dict(outcome.errors)}")
            used = self.server.cpu_seconds() - before
            others.append(meter.others(used))
            cpu.append(1000 * used / max(outcome.answered, 1))
            outcomes.append(outcome)
        rates = [outcome.rate for outcome in outcomes]
        self.add(f"{name}-rate", rates, f"{unit}/s", "higher", about, othersCores=others)
        self.latencies(name, outcomes, about)
        self.add(
            f"{name}-cpu", cpu, f"ms/{unit.rstrip('s')}", "lower", f"processor time of the server, {about}"
        )

    def latencies(self, name: str, outcomes: list[Outcome], about: str) -> None:
        """Record p50 and p99 of each run, and p99.9 and the worst among the details."""
        runs = [summarise(outcome.latencies) for outcome in outcomes]
        self.add(f"{name}-p50", [run.p50 for run in runs], "ms", "lower", f"{about}, p50")
        details = {
            "p999": [round(run.p999, 3) for run in runs],
            "worst": [round(run.worst, 3) for run in runs],
        }
        self.add(f"{name}-p99", [run.p99 for run in runs], "ms", "lower", f"{about}, p99", **details)
