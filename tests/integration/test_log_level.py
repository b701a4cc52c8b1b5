"""The log level of real processes changes while they run: SIGHUP, the command line, several on one port."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.installation import Installation
from tests.support.server import Server, eventually, serving
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def lines(output: Path, event: str) -> list[dict]:
    """Return the lines of a log that say *event*."""
    written = [json.loads(line) for line in output.read_text().splitlines() if line.startswith("{")]
    return [line for line in written if line["event"] == event]


def changes(output: Path) -> list[str]:
    return [line["now"] for line in lines(output, "log level changed")]


def write(server: Server) -> None:
    with server.client(server.token()) as client:
        assert client.post("/api/v1/projects", json={"name": "p"}).status_code == httpx.codes.CREATED


def test_sighup_switches_to_debug_and_back(tmp_path):
    with serving(tmp_path / "data") as server:
        for level in ("debug", "info", "debug"):
            os.kill(server.pid, signal.SIGHUP)
            eventually(lambda level=level: changes(server.output)[-1:] == [level])
        assert server.answers()
    assert changes(server.output) == ["debug", "info", "debug"]


def test_sighup_reads_the_file_and_trace_names_each_batch(tmp_path):
    file = tmp_path / "level"
    file.write_text("warning\n")
    with serving(tmp_path / "data", {"CODEPARK_LOG_LEVEL_FILE": str(file)}) as server:
        write(server)
        assert lines(server.output, "serving") == [], "the start has the level of the file"
        file.write_text("trace\n")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: changes(server.output) == ["trace"])
        write(server)
        for event in ("batch appended", "batch projected", "documents stored"):
            eventually(lambda event=event: lines(server.output, event))
        assert {line["level"] for line in lines(server.output, "batch appended")} == {"trace"}
        file.write_text("loud")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: lines(server.output, "the log level was not read"))


def test_the_command_line_changes_the_server_that_runs(tmp_path):
    with serving(tmp_path / "data") as server:
        told = json.loads(server.command("log-level", "Trace", "--json"))
        assert told == {"level": "trace", "before": "info"}
        write(server)
        eventually(lambda: lines(server.output, "batch appended"))
        wrong = _command(server, "log-level", "loud")
        assert wrong.returncode == 2
        assert "there is no log level 'loud'" in wrong.stderr
        with server.client() as anybody:
            refused = anybody.post("/internal/log-level", json={"arguments": {"level": "debug"}})
            assert refused.status_code == httpx.codes.UNAUTHORIZED
    without = _command(server, "log-level", "debug")
    assert without.returncode == 1
    assert "no server runs" in without.stderr


def _command(server: Server, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "codepark.cli", *arguments]
    return subprocess.run(command, env=server.variables, capture_output=True, text=True, check=False)


def test_a_closed_terminal_ends_the_server(tmp_path):
    server = Server(tmp_path / "data")
    command = [sys.executable, "-m", "codepark.cli", "serve"]
    main, sub = pty.openpty()
    child = subprocess.Popen(
        command,
        env=server.variables,
        stdin=sub,
        stdout=sub,
        stderr=sub,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 # one system call
    )
    os.close(sub)
    try:
        eventually(server.answers)
        os.close(main)
        child.wait(stretched(30))
        assert not server.answers()
    finally:
        if child.poll() is None:
            child.kill()


def test_all_processes_of_a_port_and_workers_change(tmp_path, kafka, mongodb_uri, redis_url):
    installation = Installation(
        tmp_path / "team",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=f"level-{uuid4().hex[:12]}.",
    )
    with installation:
        worker = installation.start_worker()
        node = installation.node(with_address=False)
        node.arguments = ["serve", "--workers", "2"]
        node.start()

        def ready() -> bool:
            return len(lines(node.output, "serving")) == 2

        eventually(ready, seconds=60)
        _command(node, "log-level", "debug").check_returncode()
        eventually(
            lambda: changes(node.output) == ["debug"] * 3
        )  # two processes, and the one that started them
        os.kill(node.pid, signal.SIGHUP)
        eventually(lambda: changes(node.output) == ["debug"] * 3 + ["info"] * 3)
        os.kill(worker.pid, signal.SIGHUP)
        eventually(lambda: changes(worker.output) == ["debug"])
        _command(node, "log-level", "trace").check_returncode()
        eventually(lambda: changes(node.output)[6:] == ["trace"] * 3)
        with node.client() as client:
            assert client.post("/api/v1/projects", json={"name": "p"}).status_code == httpx.codes.CREATED
        eventually(lambda: lines(node.output, "batch appended"))
