"""The aims of the project, to compare with a run's results. A missed aim never fails a run."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.statistics import Better

FIRST = "toFirst"


class Aim(NamedTuple):
    """A value that a measure should reach; *about* says it in words.

    *field* names the part of CodePark's result that counts: its value, or the multiple of its first value.
    """

    measure: str
    about: str
    limit: float
    better: Better
    field: str = "value"

    def reached(self, value: float) -> bool:
        """Return whether *value* reaches the aim."""
        return value >= self.limit if self.better == "higher" else value <= self.limit


EMBEDDED = (
    Aim("commands-64-rate", "2,500 single commands/s with 64 clients", 2_500, "higher"),
    Aim("commands-unloaded-p99", "a single command within 5 ms (p99), 100 a second", 5, "lower"),
    Aim("batch-rate", "10,000 commands/s, 500 a request, each durable", 10_000, "higher"),
    Aim(
        "append-1000000-events",
        "a command takes at most 1.2 times as long with 10⁶ events stored as with 10³",
        1.2,
        "lower",
        FIRST,
    ),
    Aim("get-anonymous-rate", "5,000 reads of a project a second", 5_000, "higher"),
    Aim("rebuild", "rebuild a read model at 20,000 events/s", 20_000, "higher"),
    Aim("startup-empty", "ready within 2 s, no events", 2_000, "lower"),
    Aim("startup-1000000-events", "ready within 2 s, 10⁶ events", 2_000, "lower"),
    Aim("memory-import", "250 MB (238 MiB) resident after the import", 238, "lower"),
    Aim("subscriber-sse", "100 kB for an idle subscriber, server-sent events", 100, "lower"),
    Aim("subscriber-websocket", "100 kB for an idle subscriber, WebSocket", 100, "lower"),
    Aim("gateway-memory-overhead-1-p50", "authentication and limits add 0.3 ms, in memory", 0.3, "lower"),
    Aim("gateway-redis-overhead-1-p50", "authentication and limits add 0.3 ms, in Redis", 0.3, "lower"),
    Aim("graphql-share", "the guide's GraphQL query at 0.4 of the rate of the REST list", 0.4, "higher"),
)
CLUSTER = (
    Aim("cluster-append-100-rate", "append 50,000 events/s, 100 a call", 50_000, "higher"),
    Aim("cluster-append-100-p99", "append 100 events within 3 ms (p99)", 3, "lower"),
    Aim(
        "cluster-commands-steady-p50",
        "a command through Kafka within 4 ms (p50), 200 a second",
        4,
        "lower",
    ),
    Aim(
        "cluster-commands-steady-p99",
        "a command through Kafka within 15 ms (p99), 200 a second",
        15,
        "lower",
    ),
    Aim("cluster-commands-64-rate", "2,500 commands/s through Kafka with 64 clients", 2_500, "higher"),
    Aim("cluster-conflict-share", "three nodes in conflict reach 0.4 of the rate of one", 0.4, "higher"),
    Aim("cluster-projection", "a worker projects 5,000 events/s", 5_000, "higher"),
    Aim("cluster-lag-p99", "a command is in an answer within 250 ms (p99), 1,000 a second", 250, "lower"),
    Aim("cluster-failover-killed", "an answer within 1 s, preferred node killed", 1_000, "lower"),
    Aim("cluster-failover-stopped", "an answer within 1 s, preferred node suspended", 1_000, "lower"),
    Aim(
        "cluster-start-with-replica",
        "a node starts within 5 s with its replica of 10⁶ events (quick run: 10⁵)",
        5,
        "lower",
    ),
    Aim("cluster-rebuild", "rebuild a replica at 50,000 events/s", 50_000, "higher"),
)


def verdicts(
    results: dict[str, Any], aims: tuple[Aim, ...] = EMBEDDED + CLUSTER
) -> Iterator[tuple[str, float, str, str]]:
    """Yield for each aim that was measured: its text, the value, the unit, and `reached` or `missed`."""
    for aim in aims:
        entry = results.get(aim.measure, {})
        value = entry.get("codepark", {}).get(aim.field)
        if value is not None:
            unit = "times" if aim.field == FIRST else entry["unit"]
            yield aim.about, value, unit, "reached" if aim.reached(value) else "missed"
