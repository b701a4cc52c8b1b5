"""The rules for Prometheus: they are valid, each fires at its fault and only there, and has a runbook."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.core import Metric

from codepark.node_metrics import node_metrics
from codepark.profiles.profile import NodeFigures
from streams.faust.metrics import WorkerMetrics
from telemetry.instruments import INSTRUMENTS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
HOW_TO = ROOT / "docs" / "how-to" / "watch-an-installation.md"
REFERENCE = ROOT / "docs" / "reference" / "metrics.md"

ALERTS = [
    rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
NAMES = [alert["alert"] for alert in ALERTS]


@pytest.fixture
def promtool() -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian's package `prometheus`)")
    return program


@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")]
)
def test_promtool_agrees(promtool: str, arguments: tuple[str, ...]) -> None:
    ended = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_is_tested_where_it_fires() -> None:
    tests = yaml.safe_load((FOLDER / "rules_test.yml").read_text())["tests"]
    fires = {each["alertname"] for test in tests for each in test["alert_rule_test"] if each["exp_alerts"]}
    assert fires == set(NAMES)


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_has_a_runbook_and_stands_in_the_list(alert: dict[str, dict[str, str]]) -> None:
    runbook = ROOT / alert["annotations"]["runbook"]
    text = runbook.read_text(encoding="utf-8")
    assert "## Look" in text
    assert "## Do" in text
    assert f"| `{alert['alert']}` |" in HOW_TO.read_text(encoding="utf-8")
    assert f"(runbooks/{runbook.name})" in HOW_TO.read_text(encoding="utf-8")


def test_no_runbook_is_without_an_alert() -> None:
    named = {Path(alert["annotations"]["runbook"]).name for alert in ALERTS}
    assert {page.name for page in (HOW_TO.parent / "runbooks").iterdir()} == named


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """The names of all series that the processes have."""
    names = {name for each in INSTRUMENTS for name in _names(next(iter(each.describe())))}
    names |= {name for each in WorkerMetrics("g").registry.collect() for name in _names(each)}
    nobody = NodeFigures(
        servers={},
        void_records=0,
        forwarded=0,
        unanswered=0,
        refused_requests=0,
        refused_answers=0,
        refused_heartbeats=0,
    )
    names |= {name for each in node_metrics(nobody) for name in _names(each)}
    names |= set(re.findall(r"`(codepark_\w+)", REFERENCE.read_text(encoding="utf-8")))
    return names | {
        "codepark_limiter_away",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_resident_memory_bytes",
        "up",
    }


def _asked(query: str) -> set[str]:
    """Return the names of the series that a query asks for."""
    return set(re.findall(r"\b((?:codepark|http|process)_\w+|up)\b(?=$|[{ \[)])", query))


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_a_rule_asks_for_metrics_that_there_are(alert: dict[str, str], metrics: set[str]) -> None:
    asked = _asked(str(alert["expr"]))
    assert asked
    assert asked <= metrics


@pytest.mark.parametrize("file", DASHBOARDS, ids=[file.stem for file in DASHBOARDS])
def test_a_dashboard_asks_for_metrics_that_there_are(file: Path, metrics: set[str]) -> None:
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    assert dashboard["uid"] == f"codepark-{file.stem}"
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            asked = _asked(target["expr"])
            assert asked, target["expr"]
            assert asked <= metrics, target["expr"]


def _names(metric: Metric) -> set[str]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {metric.name + suffix for suffix in suffixes.get(metric.type, ("",))}
