"""Markdown tables and lists of results."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bench.aims import verdicts

QUIET_CORES = 0.25
"""Other programs may keep so many cores busy before a figure counts as disturbed."""


def table(head: Sequence[str], lines: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table; the columns whose indexes are in *numbers* are aligned to the right."""
    rule = "|".join("--:" if column in numbers else "---" for column in range(len(head)))
    return [f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(line)} |" for line in lines)]


def measures_table(results: dict[str, Any]) -> list[str]:
    """Return a table of all measures, with a line for each peer."""
    return table(("measure", "CodePark", "peer (which)", "ratio"), rows(results), numbers=(1, 2, 3))


def rows(results: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each measure and peer: the measure, CodePark's value, the peer's value, the ratio."""
    for entry in results.values():
        for peer in entry["peers"] or {"": None}:
            yield row(entry, peer)


def row(entry: dict[str, Any], peer: str) -> tuple[str, str, str, str]:
    """Return the row of a measure for one *peer*, which is empty for none."""
    ours, theirs = entry.get("codepark"), entry["peers"].get(peer)
    ratio = None if theirs is None else theirs.get("ratio")
    return (
        entry["about"],
        "-" if ours is None else f"{number(ours['value'])} {entry['unit']}{_to_first(ours)}",
        "-" if theirs is None else f"{number(theirs['value'])} ({peer})",
        "-" if ratio is None else number(ratio),
    )


def number(value: float) -> str:
    """Return *value* for readers: with commas between thousands, and three digits below 100."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def aims_table(results: dict[str, Any]) -> list[str]:
    """Return a table of the aims that were measured, empty where none was."""
    lines = [(about, f"{number(value)} {unit}", verdict) for about, value, unit, verdict in verdicts(results)]
    return table(("aim", "measured", ""), lines, numbers=(1,)) if lines else []


def machine_table(facts: dict[str, Any]) -> list[str]:
    """Return a table of what is known about the machine of a run."""
    lines = []
    for name, fact in facts.items():
        if isinstance(fact, dict):
            lines.append((name, ", ".join(f"{key} {value}" for key, value in fact.items())))
        elif fact is not None:
            lines.append((name, str(fact)))
    return table(("", ""), lines)


def void_records(results: dict[str, Any]) -> list[str]:
    """Return a line for each measure of nodes in conflict: how many records count, and how many are void."""
    return [
        f"{entry['about']}: {ours['acknowledged']:,} acknowledged, "
        f"{ours['counted']:,} counted, {ours['void']:,} void"
        for entry in results.values()
        if "void" in (ours := entry.get("codepark", {}))
    ]


def disturbances(run: dict[str, Any]) -> list[str]:
    """Return a line for each sign that other programs used the machine during the run."""
    load, cores = run["settings"].get("loadBefore", 0.0), run["machine"].get("cores") or 1
    before = (
        f"before the run, {number(load)} processes wanted the {cores} cores: trust ratios more than values"
    )
    during = [
        f"{name}, {contestant}: other processes kept {number(max(side['othersCores']))} cores busy"
        for name, entry in run["results"].items()
        for contestant, side in {"codepark": entry.get("codepark", {}), **entry["peers"]}.items()
        if max(side.get("othersCores", [0])) > QUIET_CORES
    ]
    return ([before] if load > QUIET_CORES * cores else []) + during


def errors(run: dict[str, Any]) -> list[str]:
    """Return a line for each measure that met errors."""
    return [
        f"{error['measure']}, {error['contestant']}: "
        + ", ".join(f"{count} of {reason}" for reason, count in error["errors"].items())
        for error in run["errors"]
    ]


def omissions(run: dict[str, Any]) -> list[str]:
    """Return a line for each measure that was left out, with the reason."""
    return [f"{omission['name']}: {' '.join(omission['why'].split())}" for omission in run["leftOut"]]


def _to_first(side: dict[str, Any]) -> str:
    ratio = side.get("toFirst")
    return "" if ratio is None or ratio == 1 else f" ({number(ratio)} of the first)"
