"""The published benchmarks are what the report makes of the data next to them."""

import importlib.util
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bench.book import OURS
from bench.report.__main__ import REFERENCE, files, main
from bench.report.chart_data import charts
from bench.report.data import Data, load
from bench.report.page import HEADLINE, chart_file, page

DATA = load([REFERENCE / "benchmarks.json"])
CHARTS = charts(DATA)
SVG = "{http://www.w3.org/2000/svg}"
needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is installed with the group bench only"
)


def a_run(**results):
    entries = {
        name: {"about": name, "unit": "ms", "better": "lower", "codepark": {"value": value}, "peers": {}}
        for name, value in results.items()
    }
    settings = {"quick": True, "seconds": 2.0, "repeats": 1, "measuredAt": "2026-01-02T03:04:05+00:00"}
    return {"machine": {}, "settings": settings, "results": entries, "errors": [], "leftOut": []}


def picture(chart):
    return (REFERENCE / chart_file(chart)).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", files(DATA))
def test_a_published_file_is_what_the_report_makes_of_the_data(name):
    assert (REFERENCE / name).read_text(encoding="utf-8") == files(DATA)[name], "run `python -m bench.report`"


def test_the_page_has_ten_rows_and_four_charts_and_the_full_tables_have_the_rest():
    text = page(DATA)
    assert len(HEADLINE) == 10
    assert len(re.findall(r"^\| .* \| [\d.]+ \|$", text.partition("## Charts")[0], re.MULTILINE)) == 10
    assert re.findall(r"!\[[^\]]{80,}\]\((\S+)\)", text) == [chart_file(chart) for chart in CHARTS]
    assert len(CHARTS) == 4
    full = files(DATA)["benchmarks-full.md"]
    assert [e["about"] for e in DATA.results.values() if f"| {e['about']} |" not in full] == []


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_picture_belongs_to_the_data(chart):
    root = ET.fromstring(picture(chart))  # noqa: S314 # a file of this repository
    assert chart.digest in picture(chart), "run `python -m bench.report`"
    assert root.find(f"{SVG}title").text == chart.title
    assert root.find(f"{SVG}desc").text == chart.alt
    texts = {text.text for text in root.iter(f"{SVG}text")}
    for panel in chart.panels:
        assert panel.title in texts
        assert panel.y_label in texts
        assert {line for _, label in panel.ticks for line in label.split("\n")} <= texts


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_picture_follows_the_readers_theme_and_holds_no_time(chart):
    text = picture(chart)
    assert "@media(prefers-color-scheme:dark)" in text
    outside = text.partition("</style>")[2]
    colours = re.findall(r"(?<!, )#[0-9a-f]{6}\b", outside)
    assert colours == [], "every colour is a variable"
    assert "<dc:date>" not in text
    assert "Matplotlib v" not in text


@needs_matplotlib
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_same_chart_gives_the_same_picture(chart):
    from bench.report.drawing import svg

    assert svg(chart) == svg(chart) == picture(chart)


def test_another_value_is_another_chart():
    (series, *others) = CHARTS[0].panels[0].series
    changed = replace(series, points=((1.0, 1.0), *series.points[1:]))
    panel = replace(CHARTS[0].panels[0], series=(changed, *others))
    assert replace(CHARTS[0], panels=(panel, *CHARTS[0].panels[1:])).digest != CHARTS[0].digest


def test_a_later_run_replaces_the_results_of_an_earlier_one(tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    paths[0].write_text(json.dumps(a_run(a=1, b=2)))
    paths[1].write_text(Data([a_run(b=3)], {"python": "x", "requests": {}}).text())
    paths[2].write_text(json.dumps({"python": "y", "requests": {}}))
    data = load(paths)
    assert [data.value(name, OURS) for name in ("a", "b", "c")] == [1, 3, None]
    assert data.value("a", "peer") is None
    assert data.calls["python"] == "y"


def test_a_page_of_few_measures_has_no_empty_charts():
    text = page(Data([a_run(**{"append-1000-events": 1.5})]))
    assert [chart.name for chart in charts(Data([a_run(**{"append-1000-events": 1.5})]))] == ["growth"]
    assert "1.5 at 1,000" in text
    assert "(benchmarks/append.svg)" not in text
    assert "Not measured in these runs." in text


def test_calls_of_requests_are_a_table():
    counts = {"calls": 7, "functions": 5, "modules": 3}
    calls = {"python": "CPython 3.11", "requests": {"GET a file": counts}}
    assert "| GET a file | 7 | 5 | 3 |" in page(Data([a_run(a=1)], calls))


@needs_matplotlib
def test_the_report_writes_pages_charts_and_data(tmp_path):
    result = tmp_path / "result.json"
    result.write_text(json.dumps(a_run(**{"fan-out-sse": 7.5, "subscriber-sse": 38})))
    assert main([str(result), "--into", str(tmp_path / "docs")]) == 0
    written = {str(path.relative_to(tmp_path / "docs")) for path in (tmp_path / "docs").rglob("*.*")}
    assert written == {"benchmarks.md", "benchmarks-full.md", "benchmarks.json", "benchmarks/fan-out.svg"}
    assert load([tmp_path / "docs" / "benchmarks.json"]).value("fan-out-sse", OURS) == 7.5
