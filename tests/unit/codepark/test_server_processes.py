"""Several server processes: each with its folder and address, started again when they end, ended in order."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from codepark import server_processes
from codepark.server_processes import ServerProcesses, folder_of
from codepark.settings import Settings
from commands.environment import SettingsError
from commands.kafka.settings import KafkaSettings
from tests.support.server import eventually
from tests.support.time_scale import stretched

KAFKA = KafkaSettings(bootstrap_servers="k:1")
SLEEPER = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path, port=3_000, kafka=KAFKA, node_address="node:7000")


@pytest.fixture
def programs(monkeypatch):
    """Let each process run a small program, and remember the command that it would have been."""
    commands, popen = [], server_processes.subprocess.Popen

    def start(command, **options):
        commands.append((command, options["env"]))
        return popen([sys.executable, "-c", programs.source], **options)

    programs = type("Programs", (), {"source": SLEEPER, "commands": commands})
    monkeypatch.setattr(server_processes.subprocess, "Popen", start)
    monkeypatch.setattr(server_processes, "_RESTART_SECONDS", 0.01)
    monkeypatch.setattr(server_processes, "_LOOK_SECONDS", 0.01)
    return programs


@pytest.fixture
def serving(settings, programs, monkeypatch):
    """Serve in a thread, and return the processes; what they end with is in `results`."""
    monkeypatch.setattr(server_processes.signal, "signal", lambda *_: None)
    processes = ServerProcesses(settings, 2)
    processes.results = []
    thread = threading.Thread(target=lambda: processes.results.append(processes.serve()))
    thread.start()
    eventually(lambda: len(processes._processes) == 2)
    yield processes
    processes._ended.set()
    thread.join(stretched(30))
    assert not thread.is_alive()


def test_the_embedded_log_has_one_owner(tmp_path):
    with pytest.raises(SettingsError, match="--workers takes more than 1 in the cluster profile only"):
        ServerProcesses(Settings(data=tmp_path), 2)


def test_each_has_a_folder_of_its_own(tmp_path):
    assert [folder_of(tmp_path, number) for number in (1, 2)] == [
        tmp_path / "worker-1",
        tmp_path / "worker-2",
    ]


def test_each_serves_on_the_port_with_its_folder_and_address(serving, settings, programs):
    for number, (command, environment) in enumerate(programs.commands, 1):
        assert command[1:] == [
            *("-m", "codepark.cli", "serve", "--port", "3000"),
            *("--data", str(settings.data / f"worker-{number}")),
            *("--processes", str(serving._folder)),
        ]
        assert environment["CODEPARK_NODE_ADDRESS"] == f"node:{6_999 + number}"
        assert environment["PATH"] == os.environ["PATH"]


def test_without_an_address_other_nodes_do_not_reach_them(tmp_path):
    processes = ServerProcesses(Settings(data=tmp_path, kafka=KAFKA), 2)
    assert processes._address(2) == {}


def test_one_that_ends_is_started_again(serving):
    first, second = serving._processes[1], serving._processes[2]
    first.kill()
    eventually(lambda: serving._processes[1].pid != first.pid)
    assert serving._processes[2].pid == second.pid


def test_all_end_in_order(serving):
    processes = list(serving._processes.values())
    serving._ended.set()
    eventually(lambda: serving.results)
    assert serving.results == [0], "the signal ends one that is still starting"
    assert [process.returncode for process in processes] == [-signal.SIGTERM] * 2
    assert not serving._folder.exists()


def test_one_that_has_to_be_killed_is_told_by_the_status(settings, programs, monkeypatch):
    monkeypatch.setattr(server_processes, "_STOP_SECONDS", 0.2)
    programs.source = STUBBORN
    processes = ServerProcesses(settings, 1)
    processes._processes[1] = processes._start(1)
    eventually(lambda: _ignores_sigterm(processes._processes[1].pid))
    assert processes._stop() == 1


def _ignores_sigterm(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    ignored = next(line for line in lines if line.startswith("SigIgn"))
    return int(ignored.split()[1], 16) >> (signal.SIGTERM - 1) & 1


def test_a_start_that_fails_ends_those_that_run(settings, programs, monkeypatch):
    monkeypatch.setattr(server_processes.signal, "signal", lambda *_: None)
    processes = ServerProcesses(settings, 3)
    start = processes._start

    def failing(number):
        if number == 3:
            raise OSError("no processes left")
        return start(number)

    monkeypatch.setattr(processes, "_start", failing)
    with pytest.raises(OSError, match="no processes left"):
        processes.serve()
    assert [process.returncode for process in processes._processes.values()] == [-signal.SIGTERM] * 2
