"""The short and the full form of tests that search for faults.

`make test` runs the short form. `make proof` sets `CODEPARK_PROOF=1` and runs the full form: the tests with
the marker `proof`, and every Hypothesis test. At the end it prints one line of JSON for each proof, with its
runs, its failures and the seconds that its tests took.
"""

import functools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

FULL = os.environ.get("CODEPARK_PROOF") == "1"
LAWS = "laws"
"""The proof of a Hypothesis test without the marker."""

LONGER = 100
"""The factor by which the full form stretches pytest's time limit of a test."""

_NAME, _RUNS = "proof", "proof-runs"


def size(short: T, full: T) -> T:
    """Return *short*, or *full* in the full form."""
    return full if FULL else short


def limit(item: pytest.Item, seconds: float) -> float:
    """Return the time limit of *item*, which is *seconds* in the short form."""
    return seconds * LONGER if FULL and item.get_closest_marker("proof") else seconds


class _Counter:
    """The runs of the test that is being called."""

    runs = 0


def ran(times: int = 1) -> None:
    """Count runs of the test that calls this; a test that counts none is one run."""
    _Counter.runs += times


class Runs:
    """A pytest plugin for each process of the full form: it repeats tests and counts their runs."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Let a test whose marker has `rounds=` run that often."""
        marker = metafunc.definition.get_closest_marker("proof")
        rounds = 1 if marker is None else marker.kwargs.get("rounds", 1)
        if rounds > 1:
            metafunc.fixturenames.append("proof_round")
            metafunc.parametrize("proof_round", range(rounds))

    @pytest.hookimpl(tryfirst=True)  # before the selection by markers
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note the proof of each test, and let Hypothesis tests count their examples."""
        for item in items:
            law = getattr(getattr(item, "obj", None), "hypothesis", None)
            if law is not None:
                law.inner_test = _counting(law.inner_test)
                if item.get_closest_marker("proof") is None:
                    item.add_marker(pytest.mark.proof(LAWS))
            marker = item.get_closest_marker("proof")
            if marker is not None:
                item.user_properties.append((_NAME, marker.args[0]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Add the number of runs to the report of a test."""
        _Counter.runs = 0
        try:
            return (yield)
        finally:
            item.user_properties.append((_RUNS, _Counter.runs or 1))


def _counting(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return *test*, counted; parametrized items share it, so that it may be counted already."""
    if getattr(test, "counted", False):
        return test

    @functools.wraps(test)
    def counted(*args: Any, **kwargs: Any) -> Any:
        ran()
        return test(*args, **kwargs)

    counted.counted = True
    return counted


@dataclass
class Figures:
    """The figures of one proof."""

    proof: str
    runs: int = 0
    failures: int = 0
    seconds: float = 0.0


class Report:
    """A pytest plugin that sums the figures up and prints them at the end."""

    def __init__(self) -> None:
        self._figures: dict[str, Figures] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a phase of a test took, and whether it failed."""
        noted = dict(report.user_properties)
        if _NAME not in noted or report.skipped:
            return
        figures = self._figures.setdefault(noted[_NAME], Figures(noted[_NAME]))
        figures.seconds += report.duration
        figures.failures += report.failed
        if report.when == "call":
            figures.runs += noted[_RUNS]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each proof."""
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self) -> list[str]:
        """Return the figures, a line of JSON for each proof."""
        ordered = sorted(self._figures.values(), key=lambda figures: figures.proof)
        return [json.dumps(asdict(figures) | {"seconds": round(figures.seconds, 1)}) for figures in ordered]
