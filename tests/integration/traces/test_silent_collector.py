"""A collector that accepts connections and never answers delays neither a request nor the end of a server."""

import json
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.support.server import Server, eventually
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


def test_a_silent_collector_delays_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "10"}
        server = Server(tmp_path / "data", more=variables).start()
        silent.settimeout(stretched(20))
        connection, _ = silent.accept()
        with connection, server.client() as client:
            began = time.monotonic()
            for _ in range(20):
                assert client.get("/api/v1/announcements").status_code == httpx.codes.OK
            assert time.monotonic() - began < stretched(5)
            assert server.stop(8) == 0
        lines = server.output.read_text(encoding="utf-8").splitlines()
        events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
    assert "the last spans were not exported in time" in events
    assert events[-1] == "stopped"


def test_a_collector_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_BSP_SCHEDULE_DELAY": "10",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    server = Server(tmp_path / "data", more=variables).start()
    text = "the collector of traces does not take spans"
    with server.client() as client:

        def said() -> int:
            client.get("/api/v1/announcements")
            return server.output.read_text(encoding="utf-8").count(text)

        assert eventually(said) == 1
        for _ in range(5):
            assert said() == 1
    assert server.stop() == 0
