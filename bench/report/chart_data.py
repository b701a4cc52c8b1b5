"""The charts of the report as data: what each one shows, before anything is drawn."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from bench.book import OURS
from bench.contestants import POSTGRES_PEER, SQLITE_PEER
from bench.measures.cluster_appends import BATCH_PEER, BATCHES, LIBRARY_PEER, TRANSACTION_PEER
from bench.report.data import Data
from bench.report.tables import number

CLIENTS = (1, 16, 64)
SIZES = (1_000, 100_000, 1_000_000)
_LIBRARY_SQLITE = "library, SQLite"
_NAMES = {OURS: "CodePark"}


@dataclass(frozen=True)
class Series:
    """The points of one contestant; *variant* names one of several series of a contestant."""

    contestant: str
    points: tuple[tuple[float, float], ...]
    variant: str = ""

    @property
    def label(self) -> str:
        """The name of the series in a legend."""
        name = _NAMES.get(self.contestant, self.contestant)
        return f"{name}, {self.variant}" if self.variant else name


@dataclass(frozen=True)
class Panel:
    """One pair of axes, with a tick for each x.

    A series of `ranges` has two points for each x: the lower and the upper y.
    """

    kind: Literal["lines", "bars", "ranges"]
    title: str
    x_label: str
    y_label: str
    ticks: tuple[tuple[float, str], ...]
    series: tuple[Series, ...]
    log_y: bool = False
    limit: tuple[float, str] | None = None


@dataclass(frozen=True)
class Chart:
    """A picture of one or more panels; *name* is that of its file."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    columns: int = 2

    @property
    def alt(self) -> str:
        """The text for readers who do not see the picture."""
        return f"{self.title}. " + " ".join(_described(panel) for panel in self.panels)

    @property
    def digest(self) -> str:
        """A hash of all that the chart shows: a picture with another one is out of date."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def charts(data: Data) -> list[Chart]:
    """Return the charts that the data has values for."""
    every = (_append(data), _latency(data), _growth(data), _fan_out(data))
    return [chart for chart in every if chart.panels]


def _append(data: Data) -> Chart:
    """Return the chart of append rates by the number of events in a call."""
    sqlite = _line_panel(
        "In process, SQLite",
        "events a call",
        "events/s",
        (1, 10, 100),
        [
            _line(data, contestant, {n: f"append-{n}" for n in (1, 100)})
            for contestant in (OURS, _LIBRARY_SQLITE)
        ],
        log_y=True,
    )
    peers = (OURS, BATCH_PEER, TRANSACTION_PEER, LIBRARY_PEER)
    kafka = _line_panel(
        "In process, Kafka and PostgreSQL",
        "events a call",
        "events/s",
        BATCHES,
        [_line(data, contestant, {n: f"cluster-append-{n}-rate" for n in BATCHES}) for contestant in peers],
        log_y=True,
    )
    return Chart("append", "Events appended a second", _present(sqlite, kafka))


def _latency(data: Data) -> Chart:
    """Return the chart of latencies: by the number of clients, and for several kinds of requests."""
    peers = (OURS, SQLITE_PEER, POSTGRES_PEER)
    by_clients = _line_panel(
        "Commands: p50 solid, p99 dashed",
        "clients at once",
        "ms",
        CLIENTS,
        [
            _line(data, contestant, {n: f"commands-{n}-{share}" for n in CLIENTS}, share)
            for contestant in peers
            for share in ("p50", "p99")
        ],
        log_y=True,
    )
    kinds = {
        "create,\n100/s": "commands-unloaded",
        "read one,\n64 clients": "get-token",
        "list 20,\n64 clients": "list-token",
        "read at a\nposition": "lag",
    }
    ranges = [_range(data, contestant, list(kinds.values())) for contestant in peers]
    by_kind = Panel(
        "ranges",
        "From p50 to p99, by request",
        "",
        "ms",
        tuple(enumerate(kinds)),
        tuple(series for series in ranges if series.points),
        log_y=True,
    )
    return Chart("latency", "Latency of requests over HTTP", _present(by_clients, by_kind))


def _growth(data: Data) -> Chart:
    """Return the chart of costs by the number of stored events."""
    panels = [
        _line_panel(
            title,
            "events stored",
            unit,
            SIZES,
            [
                _line(data, contestant, {n: f"{name}-{n}-events" for n in SIZES})
                for contestant in (OURS, SQLITE_PEER)
            ],
        )
        for title, name, unit in (
            ("One command, 1 client, p50", "append", "ms"),
            ("GET 20 projects, 1 client, p50", "list", "ms"),
            ("Commands, 500 a request", "append-batch", "commands/s"),
            ("Start until ready", "startup", "ms"),
        )
    ]
    return Chart("growth", "Cost as the history grows", _present(*panels))


def _fan_out(data: Data) -> Chart:
    """Return the chart of live subscribers: the time until all have an event, and their memory."""
    channels = {"server-sent events": "sse", "WebSocket": "websocket"}

    def bars(title: str, unit: str, prefix: str, limit: tuple[float, str] | None = None) -> Panel:
        values = [data.value(f"{prefix}-{name}", OURS) for name in channels.values()]
        points = tuple((float(x), value) for x, value in enumerate(values) if value is not None)
        series = (Series(OURS, points),) if points else ()
        return Panel("bars", title, "", unit, tuple(enumerate(channels)), series, limit=limit)

    return Chart(
        "fan-out",
        "Live subscribers, 200 at once",
        _present(
            bars("From a command until the last has its event", "ms", "fan-out"),
            bars("Resident memory of an idle subscriber", "kB", "subscriber", (100, "aim: 100 kB")),
        ),
    )


def _line(data: Data, contestant: str, measures: dict[int, str], variant: str = "") -> Series:
    values = {x: data.value(name, contestant) for x, name in measures.items()}
    points = tuple((float(x), value) for x, value in values.items() if value is not None)
    return Series(contestant, points, variant)


def _range(data: Data, contestant: str, measures: list[str]) -> Series:
    """Return two points for each measure that has both percentiles: p50 and p99 at the same x."""
    points: list[tuple[float, float]] = []
    for x, name in enumerate(measures):
        low, high = data.value(f"{name}-p50", contestant), data.value(f"{name}-p99", contestant)
        if low is not None and high is not None:
            points += [(float(x), low), (float(x), high)]
    return Series(contestant, tuple(points))


def _line_panel(
    title: str, x_label: str, y_label: str, xs: Iterable[int], series: list[Series], *, log_y: bool = False
) -> Panel:
    ticks = tuple((float(x), f"{x:,}") for x in xs)
    drawn = tuple(each for each in series if each.points)
    return Panel("lines", title, x_label, y_label, ticks, drawn, log_y)


def _present(*panels: Panel) -> tuple[Panel, ...]:
    return tuple(panel for panel in panels if panel.series)


def _described(panel: Panel) -> str:
    by = f" by {panel.x_label}" if panel.x_label else ""
    lines = [f"{series.label}: {', '.join(_values(panel, series))}" for series in panel.series]
    return f"{panel.title}, in {panel.y_label}{by}. {'; '.join(lines)}."


def _values(panel: Panel, series: Series) -> Iterator[str]:
    labels = {x: " ".join(label.split()) for x, label in panel.ticks}
    if panel.kind == "ranges":
        for (x, low), (_, high) in zip(series.points[::2], series.points[1::2], strict=True):
            yield f"{labels[x]} {number(low)} to {number(high)}"
    elif panel.kind == "bars":
        for x, y in series.points:
            yield f"{labels[x]} {number(y)}"
    else:
        for x, y in series.points:
            yield f"{number(y)} at {labels[x]}"
