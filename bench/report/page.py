"""The page of the benchmarks: the most important figures, charts and aims, in the text of a template."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any

from bench.contestants import POSTGRES_PEER, SQLITE_PEER
from bench.measures.cluster_appends import BATCH_PEER
from bench.report.chart_data import Chart, charts
from bench.report.data import Data
from bench.report.tables import aims_table, row, table

CHARTS = "benchmarks"
"""The folder of the charts, next to the page."""
HEADLINE = (
    ("commands-1-p50", SQLITE_PEER),
    ("commands-64-rate", SQLITE_PEER),
    ("batch-rate", SQLITE_PEER),
    ("get-token-rate", SQLITE_PEER),
    ("list-token-rate", SQLITE_PEER),
    ("lag-p99", SQLITE_PEER),
    ("startup-100000-events", SQLITE_PEER),
    ("memory-commands", SQLITE_PEER),
    ("cluster-append-100-rate", BATCH_PEER),
    ("cluster-commands-64-rate", POSTGRES_PEER),
)
_TEMPLATE = Path(__file__).with_name("page.md.template")
_NOTHING = "Not measured in these runs."


def page(data: Data) -> str:
    """Return the Markdown of the page."""
    results = data.results
    text = Template(_TEMPLATE.read_text(encoding="utf-8"))
    return text.substitute(
        count=len(results),
        dates=_listed(_dates(data)),
        headline=_block(_headline(results)),
        charts=_block(line for chart in charts(data) for line in _picture(chart)),
        aims=_block(aims_table(results)),
        calls=_block(_calls(data.calls)),
    )


def chart_file(chart: Chart) -> str:
    """Return the path of a chart's file, relative to the page."""
    return f"{CHARTS}/{chart.name}.svg"


def _block(lines: Iterator[str] | list[str]) -> str:
    return "\n".join(lines).rstrip() or _NOTHING


def _listed(words: Sequence[str]) -> str:
    """Return *words* as a list in a sentence."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _dates(data: Data) -> list[str]:
    return sorted({run["settings"]["measuredAt"][:10] for run in data.runs})


def _headline(results: dict[str, Any]) -> list[str]:
    chosen = [row(results[name], peer) for name, peer in HEADLINE if name in results]
    return (
        table(("measure", "CodePark", "peer (which)", "ratio"), chosen, numbers=(1, 2, 3)) if chosen else []
    )


def _picture(chart: Chart) -> Iterator[str]:
    yield f"![{chart.alt}]({chart_file(chart)})"
    yield ""


def _calls(document: dict[str, Any] | None) -> list[str]:
    if document is None:
        return []
    lines = [
        (about, str(counts["calls"]), str(counts["functions"]), str(counts["modules"]))
        for about, counts in document["requests"].items()
    ]
    head = (f"request ({document['python']})", "calls", "functions", "modules")
    return table(head, lines, numbers=(1, 2, 3))
