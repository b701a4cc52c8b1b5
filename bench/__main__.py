"""Run the benchmark: `python -m bench [--quick] [--only NAME...] [--data DIR] [--out FILE]`.

`python -m bench compare OLD_CHECKOUT` measures two checkouts in turns; `python -m bench calls` counts the
calls of the project's own functions that one request makes.
"""

import argparse
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import calls, compare
from bench.facts import machine
from bench.plan import Plan
from bench.steps import NAMES, Runner
from codepark.interpreter import prepare_interpreter


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure CodePark and its peers on this machine."
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a short run: fewer seconds, one repetition, no history of a million events",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON there too")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of: {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="a folder with a history-*.jsonl(.gz, .xz) to import"
    )
    return parser.parse_args(arguments)


def measure(arguments: list[str]) -> int:
    """Measure, print the JSON document; return 1 where something failed."""
    chosen = _arguments(arguments)
    plan = Plan.of(quick=chosen.quick, data=chosen.data)
    prepare_interpreter()  # what is measured in this process, CodePark and peers, gets the server's settings
    began, load = datetime.now(UTC), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        runner = Runner(plan, Path(folder), chosen.only or NAMES)
        runner.run()
    settings = {
        "quick": plan.quick,
        "seconds": plan.seconds,
        "repeats": plan.repeats,
        "only": chosen.only,
        "loadBefore": round(load, 2),
        "measuredAt": began.isoformat(timespec="seconds"),
        "minutes": round((datetime.now(UTC) - began).total_seconds() / 60, 1),
    }
    document = json.dumps(runner.book.document(machine(), settings), indent=2)
    if chosen.out is not None:
        chosen.out.write_text(document + "\n")
    print(document)
    return 1 if runner.failed else 0


def main() -> int:
    """Run the command that the first argument names, or measure."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["compare"]:
        return compare.main(arguments[1:])
    if arguments == ["calls"]:
        return calls.main()
    return measure(arguments)


if __name__ == "__main__":
    sys.exit(main())
