"""The health check of a worker's container: its own metrics say whether it reaches its servers and works."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from codepark.node_metrics import WatchedServers
from codepark.server_watch import ServerWatch
from streams.faust.metrics import WorkerMetrics

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text(encoding="utf-8"))
CHECK = COMPOSE["services"]["projections"]["healthcheck"]["test"][-1]


def page(away=(), *, waiting=False):
    """Return the metrics of a worker."""
    watch = ServerWatch(dict.fromkeys(("Kafka", "MongoDB", "Redis"), lambda: None))
    for server in watch._servers:
        server.answers = server.name not in away
    metrics = WorkerMetrics("codepark.projections")
    metrics.registry.register(WatchedServers(watch))
    metrics.set_waiting(0, waiting=waiting)
    return generate_latest(metrics.registry)


def status(body):
    """Return the exit status of the check where the worker's metrics are *body*."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        code = CHECK.replace("127.0.0.1:9100", f"127.0.0.1:{server.server_port}")
        return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode


def test_a_worker_that_works_is_healthy():
    assert status(page()) == 0
    assert status(page(away=["Redis"])) == 0, "it does without Redis"


@pytest.mark.parametrize("server", ["Kafka", "MongoDB"])
def test_a_worker_without_a_server_is_not(server):
    assert status(page(away=[server])) == 1


def test_a_worker_that_waits_is_not():
    assert status(page(waiting=True)) == 1


def test_an_answer_of_something_else_is_not():
    assert status(b"it works!") == 1


def test_every_worker_is_asked_so_at_the_port_of_its_metrics():
    for service in COMPOSE["services"].values():
        command = service.get("command", ())
        if "worker" in command:
            assert service["healthcheck"]["test"][-1] == CHECK
            assert command[-2:] == ["--metrics-port", "9100"]
