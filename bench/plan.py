"""How long and how often a run measures."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """The sizes of a run; *data* is a folder with git histories as JSONL, None without one."""

    quick: bool
    seconds: float
    repeats: int
    connections: tuple[int, ...]
    read_projects: int
    subscribers: int
    rebuild_events: int
    sizes: tuple[int, ...]
    data: Path | None

    @classmethod
    def of(cls, *, quick: bool, data: Path | None) -> "Plan":
        """Return the short plan or the full one."""
        if quick:
            return cls(
                quick=True,
                seconds=2.0,
                repeats=1,
                connections=(1, 16, 64),
                read_projects=200,
                subscribers=200,
                rebuild_events=100_000,
                sizes=(1_000, 100_000),
                data=data,
            )
        return cls(
            quick=False,
            seconds=6.0,
            repeats=3,
            connections=(1, 16, 64),
            read_projects=1_000,
            subscribers=200,
            rebuild_events=100_000,
            sizes=(1_000, 100_000, 1_000_000),
            data=data,
        )
