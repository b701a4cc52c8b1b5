"""The data behind the report: the documents of one or more runs, and the calls of single requests."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Data:
    """The *runs*, oldest first, and the document of `python -m bench calls`, None without one."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, Any] | None = None

    @property
    def results(self) -> dict[str, Any]:
        """The results of all runs by the name of the measure; a later run replaces an earlier one."""
        return {name: entry for run in self.runs for name, entry in run["results"].items()}

    def value(self, measure: str, contestant: str) -> float | None:
        """Return the value of a contestant in a measure, None where there is none."""
        entry = self.results.get(measure, {})
        sides = {"codepark": entry.get("codepark"), **entry.get("peers", {})}
        side = sides.get(contestant)
        return None if side is None else side["value"]

    def text(self) -> str:
        """Return the data as the JSON that `load` reads."""
        document = {"runs": self.runs} | ({} if self.calls is None else {"calls": self.calls})
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def load(paths: Iterable[Path]) -> Data:
    """Return the data of all files: results of the bench, of `bench calls`, and data written before."""
    data = Data()
    for path in paths:
        document = json.loads(path.read_text(encoding="utf-8"))
        if "results" in document:
            data.runs.append(document)
        elif "requests" in document:
            data.calls = document
        else:
            data.runs += document["runs"]
            data.calls = document.get("calls", data.calls)
    return data
