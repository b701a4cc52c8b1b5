"""A real Prometheus reads a running server, evaluates every rule, and warns when the server is killed."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.people import Person, made
from tests.support.server import Server, eventually, free_port, serving
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"


DASHBOARDS = sorted((RULES.parents[1] / "grafana").glob("*.json"))


class Prometheus:
    """A Prometheus with the rules of the project, which it evaluates each second, without their delays."""

    def __init__(self, program: str, folder: Path, target: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
        for rule in (rule for group in rules["groups"] for rule in group["rules"]):
            rule.pop("for", None)
        scrape = {"job_name": "codepark", "static_configs": [{"targets": [target]}]}
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [scrape],
        }
        (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self._process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(stretched(30))

    def get(self, path: str, **params: str) -> Any:
        """Return the data of an answer, None where there is none yet."""
        try:
            answer = httpx.get(f"{self.url}/api/v1/{path}", params=params)
        except httpx.TransportError:
            return None
        return answer.json()["data"] if answer.is_success else None

    def value(self, query: str) -> float | None:
        data = self.get("query", query=query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def firing(self) -> set[str]:
        data = self.get("alerts") or {"alerts": []}
        return {alert["labels"]["alertname"] for alert in data["alerts"] if alert["state"] == "firing"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def prometheus(server: Server, tmp_path: Path) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Prometheus is not installed (Debian's package `prometheus`)")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    running = Prometheus(program, folder, server.url.removeprefix("http://"))
    yield running
    running.stop()


def test_a_server_is_watched(server: Server, prometheus: Prometheus) -> None:
    with Person(server, "Ada").client as ada:
        made(ada.post("/api/v1/projects", json={"name": "watched"}))
    posted = 'http_requests_total{method="POST",route="/api/v1/projects",status="201"}'
    eventually(lambda: prometheus.value(posted) == 1)
    eventually(lambda: prometheus.value("codepark_append_events_sum"))

    def evaluated() -> list[dict[str, str]]:
        data = prometheus.get("rules") or {"groups": []}
        rules = [rule for group in data["groups"] for rule in group["rules"]]
        return rules if all(rule["health"] != "unknown" for rule in rules) else []

    assert {rule["health"] for rule in eventually(evaluated)} == {"ok"}
    assert prometheus.firing() == set()


def test_prometheus_answers_every_query_of_the_dashboards(server: Server, prometheus: Prometheus) -> None:
    eventually(lambda: prometheus.value("up") == 1)
    dashboards = [json.loads(file.read_text(encoding="utf-8")) for file in DASHBOARDS]
    assert len(dashboards) == 5
    for panel in (panel for dashboard in dashboards for panel in dashboard["panels"]):
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            assert prometheus.get("query", query=query) is not None, query


def test_a_server_that_is_killed_is_noticed(server: Server, prometheus: Prometheus) -> None:
    eventually(lambda: prometheus.value("up") == 1)
    server.kill()
    eventually(lambda: prometheus.firing() == {"ProcessAway"})
    server.start()
    eventually(lambda: prometheus.firing() == set())
