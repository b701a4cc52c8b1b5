"""The aims of the project, to compare with a run's results. A missed aim never fails a run."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.statistics import Better


class Aim(NamedTuple):
    """A value that a measure should reach; *about* says it in words."""

    measure: str
    about: str
    limit: float
    better: Better

    def reached(self, value: float) -> bool:
        """Return whether *value* reaches the aim."""
        return value >= self.limit if self.better == "higher" else value <= self.limit


CLUSTER = (
    Aim("cluster-append-100-rate", "append 50,000 events/s at batch 100", 50_000, "higher"),
    Aim("cluster-append-100-p99", "the same within 3 ms (p99)", 3, "lower"),
    Aim("cluster-commands-steady-p50", "a command over HTTP within 4 ms (p50), 200 a second", 4, "lower"),
    Aim("cluster-commands-steady-p99", "the same within 15 ms (p99)", 15, "lower"),
    Aim("cluster-commands-64-rate", "2,500 commands/s with 64 clients, one node", 2_500, "higher"),
    Aim("cluster-conflict-share", "three nodes in conflict: 0.4 of the rate of one", 0.4, "higher"),
    Aim("cluster-projection", "a worker projects 5,000 events/s", 5_000, "higher"),
    Aim("cluster-lag-p99", "in a query within 250 ms (p99), 1,000 events/s", 250, "lower"),
    Aim("cluster-failover-killed", "an answer within 1 s, the preferred node killed", 1_000, "lower"),
    Aim("cluster-failover-stopped", "an answer within 1 s, the preferred node stopped", 1_000, "lower"),
    Aim(
        "cluster-start-with-replica",
        "a node starts within 5 s with its replica of 10⁶ events (a quick run: 10⁵)",
        5,
        "lower",
    ),
    Aim("cluster-rebuild", "a replica is made anew at 50,000 events/s", 50_000, "higher"),
)


def verdicts(
    results: dict[str, Any], aims: tuple[Aim, ...] = CLUSTER
) -> Iterator[tuple[str, float, str, str]]:
    """Yield for each aim that was measured: what, the value, its unit, and whether it is reached."""
    for aim in aims:
        entry = results.get(aim.measure, {})
        if "codepark" in entry:
            value = entry["codepark"]["value"]
            yield aim.about, value, entry["unit"], "reached" if aim.reached(value) else "missed"
