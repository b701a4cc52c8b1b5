"""The full tables: every measure of every run, with its machine, its disturbances and its errors."""

from collections.abc import Sequence
from typing import Any

from bench.report.data import Data
from bench.report.tables import (
    disturbances,
    errors,
    machine_table,
    measures_table,
    omissions,
    void_records,
)

_HEAD = """# Benchmarks in full

Every measure of the runs behind [the benchmarks](benchmarks.md), written by `python -m bench.report`. The
value is the median of the repetitions. The ratio says how many times better CodePark is; below 1 the peer is
better. *Of the first* compares a value with the one at the first size of its series."""


def full_tables(data: Data) -> str:
    """Return the Markdown of the full tables."""
    return "\n".join([_HEAD, *(line for run in data.runs for line in _run(run))]) + "\n"


def _run(run: dict[str, Any]) -> list[str]:
    settings = run["settings"]
    repeats = settings["repeats"]
    options = (" --quick" if settings["quick"] else "") + _chosen(settings.get("only"))
    lines = [
        "",
        f"## {settings['measuredAt'][:10]}: `python -m bench{options}`",
        "",
        f"{repeats} repetition{'' if repeats == 1 else 's'} of {settings['seconds']:g} s.",
    ]
    if "note" in settings:
        lines += ["", settings["note"]]
    lines += ["", *machine_table(run["machine"]), "", *measures_table(run["results"])]
    lines += _list("Counted and void records", void_records(run["results"]))
    lines += _list("Disturbances", disturbances(run))
    lines += _list("Errors", errors(run))
    return lines + _list("Left out", omissions(run))


def _chosen(names: Sequence[str] | None) -> str:
    return f" --only {' '.join(names)}" if names else ""


def _list(title: str, lines: list[str]) -> list[str]:
    return ["", f"### {title}", "", *(f"- {line}" for line in lines)] if lines else []
