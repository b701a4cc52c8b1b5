"""Draw charts as SVG with matplotlib, in colours that follow the reader's light or dark theme.

The output is the same for the same chart and release of matplotlib: it holds no time and no random id.
"""

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from bench.book import OURS
from bench.contestants import POSTGRES_PEER, SQLITE_PEER
from bench.measures.cluster_appends import BATCH_PEER, LIBRARY_PEER, TRANSACTION_PEER
from bench.report.chart_data import Chart, Panel, Series
from bench.report.tables import number

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "codepark",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
# Charts are drawn in the light colours; a style element then chooses by the reader's theme.
_PAPER, _INK, _FAINT = "#fffffe", "#24292e", "#d0d7dd"
_DARK = {_PAPER: "#0d1117", _INK: "#e6edf3", _FAINT: "#30363d"}
_COLOURS = {
    OURS: "#0969da",
    SQLITE_PEER: "#bc4c00",
    "library, SQLite": "#bc4c00",
    POSTGRES_PEER: "#1a7f37",
    LIBRARY_PEER: "#1a7f37",
    BATCH_PEER: "#8250df",
    TRANSACTION_PEER: "#9a6700",
}
_DARK |= {
    "#0969da": "#58a6ff",
    "#bc4c00": "#f0883e",
    "#1a7f37": "#3fb950",
    "#8250df": "#bc8cff",
    "#9a6700": "#d29922",
}
_MARKERS = {OURS: "o", SQLITE_PEER: "s", POSTGRES_PEER: "^", BATCH_PEER: "D", TRANSACTION_PEER: "v"}
_PANEL_INCHES = (4.3, 2.9)
_LEGEND_COLUMNS = 3
_LEGEND_LINE_INCHES = 0.2
_HEADROOM = 1.12


def svg(chart: Chart) -> str:
    """Return the chart as an SVG document; its metadata holds the digest of the chart."""
    rows = -(-len(chart.panels) // chart.columns)
    labels = _legend_labels(chart)
    below = _LEGEND_LINE_INCHES * -(-len(labels) // _LEGEND_COLUMNS)
    width, height = _PANEL_INCHES[0] * chart.columns, _PANEL_INCHES[1] * rows + below
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), facecolor=_PAPER)
        canvas = FigureCanvasSVG(figure)
        for index, panel in enumerate(chart.panels):
            _draw(figure.add_subplot(rows, chart.columns, index + 1, facecolor=_PAPER), panel)
        if labels:
            _legend(figure, labels)
        figure.suptitle(chart.title, color=_INK, fontsize=11, fontweight="bold", x=0.012, ha="left")
        figure.tight_layout(rect=(0, below / height, 1, 1), w_pad=2.5, h_pad=1.5)
        output = io.StringIO()
        canvas.print_svg(output, metadata={"Date": None, "Creator": None, "Identifier": chart.digest})
    return _themed(output.getvalue(), chart)


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, color=_INK, loc="left")
    axes.set_xlabel(panel.x_label, color=_INK)
    axes.set_ylabel(panel.y_label, color=_INK)
    axes.tick_params(colors=_INK, which="both", length=3)
    axes.grid(axis="y", color=_FAINT, linewidth=0.7)
    for spine in axes.spines.values():
        spine.set_color(_FAINT)
    {"lines": _draw_lines, "ranges": _draw_ranges, "bars": _draw_bars}[panel.kind](axes, panel)
    if panel.log_y:
        axes.set_yscale("log")
    else:
        highest = max(y for series in panel.series for _, y in series.points)
        axes.set_ylim(0, _HEADROOM * max(highest, panel.limit[0] if panel.limit else 0))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks([x for x, _ in panel.ticks], [label for _, label in panel.ticks])


def _draw_lines(axes: Axes, panel: Panel) -> None:
    axes.set_xscale("log")
    for series in panel.series:
        xs, ys = zip(*series.points, strict=True)
        axes.plot(
            xs,
            ys,
            color=_colour(series),
            linestyle="--" if series.variant == "p99" else "-",
            marker=_marker(series),
            markersize=4.5,
            linewidth=2 if series.contestant == OURS else 1.4,
        )


def _draw_ranges(axes: Axes, panel: Panel) -> None:
    """Draw a vertical line from each lower to each upper value, the contestants next to each other."""
    step = 0.18
    for index, series in enumerate(panel.series):
        shift = step * (index - (len(panel.series) - 1) / 2)
        for (x, low), (_, high) in zip(series.points[::2], series.points[1::2], strict=True):
            axes.plot(
                [x + shift] * 2,
                [low, high],
                color=_colour(series),
                marker=_marker(series),
                markersize=4.5,
                linewidth=2,
            )
    axes.set_xlim(-0.5, len(panel.ticks) - 0.5)


def _draw_bars(axes: Axes, panel: Panel) -> None:
    for series in panel.series:
        for x, y in series.points:
            axes.bar(x, y, width=0.5, color=_colour(series))
            axes.annotate(
                f"{number(y)} {panel.y_label}",
                (x, y),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                color=_INK,
                bbox={"facecolor": _PAPER, "edgecolor": "none", "pad": 1},
            )
    axes.set_xlim(-0.6, len(panel.ticks) - 0.4)
    if panel.limit is not None:
        y, label = panel.limit
        axes.axhline(y, color=_INK, linewidth=1, linestyle=":")
        axes.annotate(label, (-0.58, y), xytext=(0, 3), textcoords="offset points", ha="left", color=_INK)


def _legend_labels(chart: Chart) -> dict[str, Series]:
    """Return a series for each contestant, by its name in the legend; bars need none."""
    drawn = [series for panel in chart.panels if panel.kind != "bars" for series in panel.series]
    return {Series(series.contestant, ()).label: series for series in drawn}


def _legend(figure: Figure, labels: dict[str, Series]) -> None:
    """Name each contestant once for all panels."""
    handles = [
        Line2D([], [], color=_colour(series), marker=_marker(series), markersize=4.5, linewidth=2)
        for series in labels.values()
    ]
    columns = min(len(labels), _LEGEND_COLUMNS)
    figure.legend(handles, list(labels), loc="lower center", ncol=columns, labelcolor=_INK)


def _colour(series: Series) -> str:
    return _COLOURS[series.contestant]


def _marker(series: Series) -> str:
    return _MARKERS.get(series.contestant, "s")


def _themed(text: str, chart: Chart) -> str:
    """Return the document with a title, a description, and variables in place of its colours."""
    for colour in _DARK:
        text = text.replace(colour, f"var(--{_variable(colour)}, {colour})")
    start = text.index("<svg")
    after = text.index(">", start) + 1
    root = text[start:after].replace("<svg", '<svg role="img" aria-labelledby="title description"', 1)
    head = (
        f'\n <title id="title">{escape(chart.title)}</title>\n'
        f' <desc id="description">{escape(chart.alt)}</desc>\n'
        f" <style>{_style(list(_DARK))}</style>"
    )
    return text[:start] + root + head + text[after:]


def _style(colours: Sequence[str]) -> str:
    light = "".join(f"--{_variable(colour)}:{colour};" for colour in colours)
    dark = "".join(f"--{_variable(colour)}:{_DARK[colour]};" for colour in colours)
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _variable(colour: str) -> str:
    return f"c{colour.removeprefix('#')}"
