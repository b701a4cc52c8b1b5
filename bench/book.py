"""The results of a run, and their JSON document."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.statistics import Better, advantage, median, rounded

OURS = "codepark"


@dataclass
class Entry:
    """One measure: its unit, whether higher or lower is better, and the values of each contestant."""

    unit: str
    better: Better
    about: str
    values: dict[str, list[float]] = field(default_factory=dict)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)

    def value(self, contestant: str) -> float:
        """Return the median of the contestant's values."""
        return median(self.values[contestant])

    def document(self) -> dict[str, Any]:
        """Return the entry as JSON; a ratio above 1 means that CodePark is better."""
        ours = self.value(OURS) if OURS in self.values else None
        return {
            "about": self.about,
            "unit": self.unit,
            "better": self.better,
            **({} if ours is None else {OURS: self._side(OURS)}),
            "peers": {
                name: self._side(name) | ({} if ours is None else self._ratio(ours, name))
                for name in self.values
                if name != OURS
            },
        }

    def _side(self, contestant: str) -> dict[str, Any]:
        values = [rounded(value) for value in self.values[contestant]]
        return {
            "value": rounded(self.value(contestant)),
            "values": values,
            **self.details.get(contestant, {}),
        }

    def _ratio(self, ours: float, peer: str) -> dict[str, Any]:
        ratio = advantage(ours, self.value(peer), self.better)
        return {"ratio": None if ratio is None else rounded(ratio, 3)}


class Book:
    """Collect the values, the errors and the omissions of a run."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.errors: list[dict[str, Any]] = []
        self.left_out: list[dict[str, str]] = []
        self.servers: dict[str, str] = {}

    def add(
        self,
        name: str,
        contestant: str,
        values: float | Sequence[float],
        *,
        unit: str,
        better: Better,
        about: str,
        **details: Any,  # further facts for readers of the JSON
    ) -> None:
        """Add the values of one contestant to the measure *name*."""
        entry = self.entries.setdefault(name, Entry(unit, better, about))
        entry.values.setdefault(contestant, []).extend(
            [values] if isinstance(values, int | float) else values
        )
        if details:
            entry.details.setdefault(contestant, {}).update(details)

    def failed(self, name: str, contestant: str, errors: Counter[str]) -> None:
        """Record the errors of *contestant* in the measure *name*, by status or reason."""
        if errors:
            self.errors.append({"measure": name, "contestant": contestant, "errors": dict(errors)})

    def leave_out(self, name: str, why: str) -> None:
        """Record that something was not measured, and why."""
        self.left_out.append({"name": name, "why": why})

    def document(self, machine: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
        """Return everything as one JSON document."""
        return {
            "machine": machine | ({"servers": self.servers} if self.servers else {}),
            "settings": settings,
            "ratio": "how many times better CodePark is; below 1 the peer is better",
            "results": {name: entry.document() for name, entry in self.entries.items()},
            "errors": self.errors,
            "leftOut": self.left_out,
        }
