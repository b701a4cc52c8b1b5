"""Write the published benchmarks: `python -m bench.report RESULT.json... [--into DIR]`."""

import argparse
import sys
from pathlib import Path

from bench.report.chart_data import charts
from bench.report.data import Data, load
from bench.report.full import full_tables
from bench.report.page import CHARTS, chart_file, page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def files(data: Data) -> dict[str, str]:
    """Return the text of each published file but the charts, by its path in the reference."""
    return {
        "benchmarks.md": page(data),
        "benchmarks-full.md": full_tables(data),
        "benchmarks.json": data.text(),
    }


def main(arguments: list[str]) -> int:
    """Write the page, the full tables, the data and the charts."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.report", description="Write the benchmarks' pages."
    )
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT.json")
    parser.add_argument("--into", type=Path, default=REFERENCE, metavar="DIR", help="default: docs/reference")
    chosen = parser.parse_args(arguments)
    data = load(chosen.results)
    from bench.report.drawing import svg  # noqa: PLC0415 # only drawing needs matplotlib

    pictures = {chart_file(chart): svg(chart) for chart in charts(data)}
    (chosen.into / CHARTS).mkdir(parents=True, exist_ok=True)
    for name, text in (files(data) | pictures).items():
        (chosen.into / name).write_text(text, encoding="utf-8")
        print(chosen.into / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
