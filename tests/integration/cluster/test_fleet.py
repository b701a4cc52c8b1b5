"""`make cluster`: the servers outlive the command, the next one finds them, and only they are ended."""

import json
import os
import signal
import subprocess
import sys

import pytest
import redis

from devservers.errors import ServerError
from devservers.fleet import VARIABLES, Fleet
from devservers.processes import Identity, wait_for
from tests.support import cluster
from tests.support.cluster import ROOT, cannot_have, private_valkey
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration

RUNS = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]


@pytest.fixture
def fleet(tmp_path):
    fleet = Fleet(tmp_path / "fleet")
    yield fleet
    fleet.stop()


def command(data, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "devservers", *arguments, "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=stretched(110),
    )


def exported(output):
    return dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines())


@pytest.fixture
def processes():
    """Processes that the test may start; they end with it."""
    started = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_start_status_and_stop(tmp_path):
    first = command(tmp_path, "start")
    if "needs Java" in first.stderr or "no mvn" in first.stderr or "not installed" in first.stderr:
        cannot_have(first.stderr)
    try:
        assert first.returncode == 0, first.stderr
        assert set(exported(first.stdout)) == set(VARIABLES.values())
        processes = {kind: entry.identity for kind, entry in Fleet(tmp_path).entries().items()}
        again = command(tmp_path, "start", "--json")
        assert json.loads(again.stdout) == exported(first.stdout)
        assert {kind: entry.identity for kind, entry in Fleet(tmp_path).entries().items()} == processes
        assert command(tmp_path, "status").returncode == 0
    finally:
        stopped = command(tmp_path, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert not any(identity.alive() for identity in processes.values())
    assert command(tmp_path, "status").returncode == 1
    assert "nothing was running" in command(tmp_path, "stop").stderr


def test_what_ended_is_started_again_at_the_same_address(fleet):
    first = fleet.start(["valkey"])["valkey"]
    with redis.Redis.from_url(first.address) as client:
        client.set("a", "1")
    first.identity.signal(signal.SIGKILL)
    assert wait_for(lambda: not first.running, stretched(10))
    second = fleet.start(["valkey"])["valkey"]
    assert second.address == first.address
    assert second.identity != first.identity
    with redis.Redis.from_url(second.address) as client:
        assert client.get("a") == b"1"


def test_stop_ends_only_its_own(fleet, tmp_path):
    with private_valkey(tmp_path / "other") as other:
        own = fleet.start(["valkey"])["valkey"]
        assert [entry.kind for entry in fleet.stop()] == ["valkey"]
        assert not own.running
        assert other.running


def test_stop_spares_a_later_process_of_the_same_number(fleet, tmp_path):
    with private_valkey(tmp_path / "other") as other:
        identity = {"pid": other.pid, "birth": "another birth"}
        (fleet.folder / "state.json").write_text(
            json.dumps({"valkey": {"address": "x", "port": 1, "identity": identity}})
        )
        assert fleet.stop() == []
        assert other.running


def test_a_start_that_fails_leaves_nothing_of_its_own(fleet, monkeypatch):
    running = fleet.start(["valkey"])["valkey"]
    monkeypatch.setenv("CODEPARK_SECANTUSD", "false")
    with pytest.raises(ServerError, match="mongo ended"):
        fleet.start(["valkey", "mongo"])
    assert running.running
    assert list(fleet.entries()) == ["valkey"]


def test_two_starts_at_once_start_one(fleet, tmp_path, processes):
    program = (
        "import sys; from pathlib import Path; from devservers.fleet import Fleet;"
        "print(Fleet(Path(sys.argv[1])).start(['valkey'])['valkey'].identity.pid)"
    )
    for _ in range(2):
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", program, str(fleet.folder)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
        )
    assert len({process.communicate(timeout=stretched(60))[0] for process in processes}) == 1


def test_shared_servers_are_one_for_all_and_end_with_their_owner(tmp_path, processes):
    owner = subprocess.Popen(RUNS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    processes.append(owner)
    owner.stdout.readline()
    address = cluster.shared("valkey", tmp_path, owner.pid)
    assert cluster.shared("valkey", tmp_path, os.getpid()) == address
    keeper = Identity(**json.loads((tmp_path / "cluster-valkey" / "keeper.json").read_text()))
    owner.kill()
    assert wait_for(lambda: not keeper.alive(), stretched(20))
    with redis.Redis.from_url(address, retry=None) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_shared_servers_are_ended_with_the_session(tmp_path):
    cluster.shared("valkey", tmp_path, os.getpid())
    facts = json.loads((tmp_path / "cluster-valkey" / "kept.json").read_text())
    server = Identity.of(facts["pid"])
    cluster.end_shared(tmp_path)
    assert not server.alive()
    assert not (tmp_path / "cluster-valkey").exists()


def test_what_cannot_be_had_is_skipped_or_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEPARK_SECANTUSD", str(tmp_path / "nothing"))
    monkeypatch.setenv("CODEPARK_REQUIRE_CLUSTER", "")
    with pytest.raises(pytest.skip.Exception, match="CODEPARK_SECANTUSD"):
        cluster.shared("mongo", tmp_path, os.getpid())
    monkeypatch.setenv("CODEPARK_REQUIRE_CLUSTER", "1")
    with pytest.raises(pytest.fail.Exception, match="CODEPARK_SECANTUSD"):
        cluster.shared("mongo", tmp_path, os.getpid())
