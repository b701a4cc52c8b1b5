"""Turn the JSON of a run into the page of the reference docs: `python -m bench.report result.json`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.aims import verdicts

_QUIET_CORES = 0.25
_HEAD = """# Benchmarks

Measured by `python -m bench{options}` on {date}; every line comes from the same run on the same machine, each server behind
the same load generator, which shares the processor with it. The value is the median of {repeats} run{plural} of {seconds:g} s.
The ratio says how many times better CodePark is: below 1 the peer is better.

## Machine

| | |
|---|---|
"""
_PEERS = """
## Peers

The peers are FastAPI and uvicorn over a plain `eventsourcing` application, as its documentation shows it, without
authentication; on SQLite (write-ahead log, `synchronous=FULL`) and on PostgreSQL (`fsync=on`, by Unix socket). In
process, the library's own SQLite recorder; for a rebuild, its notification log read into a view. The peer's list of
projects is a view in its memory, fed from the notification log and lost with the process; CodePark's is durable.
"""

_CLUSTER = """
One broker, one server with MongoDB's protocol, one Valkey, the nodes, the workers and the load generator share this
machine's processors. A number over another server with MongoDB's protocol says little about this one.

{servers}

- *Appends* go through the persistence module (`PERSISTENCE_MODULE=commands.kafka`) in this process: an acknowledged
  RecordBatch, checked versions, a chain over every record, and a local replica, all before the call returns. aiokafka
  alone stores the records and checks nothing; its transactions are one `begin`, one batch, one `commit`. The library on
  PostgreSQL checks versions.
- *Commands* are `POST /api/v1/projects` with a token, answered once the event counts. The same requests go to the
  embedded profile and to FastAPI over the library on PostgreSQL; those use no Kafka.
- *In conflict* means that no node knows of another, so that each appends by itself. Every acknowledged command was found
  among the counted events of the log afterwards; the others are void, for every reader.
- *Projection* counts the worker's events from its first to its last, without its start. *Lag* runs from a command's
  answer until a query for what it made, which asks for its position, is answered from MongoDB.
- *A node that is killed or stands still* is the preferred one of two; the commands go to the other one.
"""


def main() -> int:
    """Print the page for the result whose file is the first argument."""
    if len(sys.argv) != 2:
        print("usage: python -m bench.report RESULT.json", file=sys.stderr)
        return 2
    print(page(json.loads(Path(sys.argv[1]).read_text())))
    return 0


def page(result: dict[str, Any]) -> str:
    """Return the Markdown of a result."""
    settings = result["settings"]
    head = _HEAD.format(
        options=" --quick" if settings["quick"] else "",
        date=settings["measuredAt"][:10],
        repeats=settings["repeats"],
        plural="" if settings["repeats"] == 1 else "s",
        seconds=settings["seconds"],
    )
    servers = result["machine"].get("servers", {})
    embedded, cluster = _split(result["results"])
    lines = [head.rstrip(), *_machine({n: f for n, f in result["machine"].items() if n != "servers"})]
    if embedded:
        lines += [_PEERS, "## Results", "", *_table(embedded)]
    if cluster:
        told = "\n".join(
            ["| server | |", "|---|---|", *(f"| {name} | {what} |" for name, what in servers.items())]
        )
        lines += ["", "## Cluster profile", _CLUSTER.format(servers=told), *_table(cluster)]
        lines += _voids(cluster) + _aims(cluster)
    lines += _notes("Disturbed", [*_load_before(result), *_disturbed(result["results"])])
    lines += _notes("Errors met", [_error(error) for error in result["errors"]])
    lines += _notes("Left out", [f"{one['name']}: {_line(one['why'])}" for one in result["leftOut"]])
    return "\n".join(lines)


def _split(results: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the results of the embedded profile and those of the cluster."""
    cluster = {name: entry for name, entry in results.items() if name.startswith("cluster-")}
    return {name: entry for name, entry in results.items() if name not in cluster}, cluster


def _table(results: dict[str, Any]) -> list[str]:
    head = ["| measure | CodePark | peer (which) | ratio |", "|---|--:|--:|--:|"]
    return head + [f"| {' | '.join(row)} |" for row in rows(results)]


def _voids(results: dict[str, Any]) -> list[str]:
    """Say what became of the records of nodes that fought for the log."""
    found = [
        f"{entry['about']}: {ours['acknowledged']:,} acknowledged, {ours['counted']:,} counted, {ours['void']:,} void"
        for entry in results.values()
        if "void" in (ours := entry.get("codepark", {}))
    ]
    return _notes("Counted and void", found)


def _aims(results: dict[str, Any]) -> list[str]:
    found = [f"| {about} | {number(value)} {unit} | {how} |" for about, value, unit, how in verdicts(results)]
    head = ["", "## What the cluster profile aims at", "", "| aim | measured | |", "|---|--:|---|"]
    return [*head, *found] if found else []


def rows(results: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each measure and peer: what, CodePark's value, the peer's, the ratio."""
    for entry in results.values():
        ours = entry.get("codepark")
        shown = "-" if ours is None else f"{number(ours['value'])} {entry['unit']}{_to_first(ours)}"
        peers = entry["peers"] or {"": None}
        for name, peer in peers.items():
            theirs = "-" if peer is None else f"{number(peer['value'])} ({name})"
            ratio = "-" if peer is None or peer.get("ratio") is None else f"{number(peer['ratio'])}"
            yield entry["about"], shown, theirs, ratio


def number(value: float) -> str:
    """Return *value* as a reader wants it: thousands apart, three digits where it is small."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _to_first(side: dict[str, Any]) -> str:
    ratio = side.get("toFirst")
    return "" if ratio is None or ratio == 1 else f" ({number(ratio)} of the first)"


def _machine(facts: dict[str, Any]) -> Iterator[str]:
    for name, fact in facts.items():
        if fact is not None:
            shown = (
                ", ".join(f"{key} {version}" for key, version in fact.items())
                if isinstance(fact, dict)
                else fact
            )
            yield f"| {name} | {shown} |"


def _load_before(result: dict[str, Any]) -> list[str]:
    """Say where others kept the machine busy already before the run: then its ratios tell more than its values."""
    load, cores = result["settings"].get("loadBefore", 0.0), result["machine"].get("cores") or 1
    if load <= _QUIET_CORES * cores:
        return []
    return [f"before the run {number(load)} processes wanted the {cores} cores: ratios tell more than values"]


def _disturbed(results: dict[str, Any]) -> list[str]:
    """Say where others on the machine took so much of it that the numbers are worth less."""
    found = [
        (name, who, max(side["othersCores"]))
        for name, entry in results.items()
        for who, side in {"codepark": entry.get("codepark", {}), **entry["peers"]}.items()
        if max(side.get("othersCores", [0])) > _QUIET_CORES
    ]
    return [f"{name}, {who}: other processes kept {number(cores)} cores busy" for name, who, cores in found]


def _error(error: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} of {reason}" for reason, count in error["errors"].items())
    return f"{error['measure']}, {error['contestant']}: {counts}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _notes(title: str, items: list[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {item}" for item in items)] if items else []


if __name__ == "__main__":
    sys.exit(main())
