"""A server whose start fails leaves no process: neither its own nor that of a child."""

import psutil
import pytest

from devservers.errors import ServerError
from devservers.processes import wait_for
from tests.support.cluster_server import ClusterServer
from tests.support.installation import Installation
from tests.support.server import Server
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration
NOWHERE = {
    "kafka": "127.0.0.1:1",
    "mongodb_uri": "mongodb://127.0.0.1:1/",
    "redis_url": "redis://127.0.0.1:1/",
}


def started_in(folder):
    """Return the processes that have *folder* among their arguments or in their settings."""
    return [process for process in psutil.process_iter() if str(folder) in known_to(process)]


def known_to(process):
    try:
        return " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:
        return ""


def all_gone(processes):
    return wait_for(lambda: not any(runs(process) for process in processes), stretched(20))


def runs(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


class NeverReady(Server):
    """A server that serves, and is never ready."""

    ready_seconds = 2.0

    def answers(self):
        return False


class Interrupted(Server):
    """A server whose start is interrupted once it serves, with its children; they are the *family*."""

    family = ()

    def answers(self):
        if not super().answers():
            return False
        process = psutil.Process(self.pid)
        self.family = [process, *process.children(recursive=True)]
        raise KeyboardInterrupt


def test_a_server_that_is_never_ready_leaves_no_process(tmp_path):
    server = NeverReady(tmp_path / "data")
    with pytest.raises(ServerError, match=r"did not answer within \d+ s"):
        server.start()
    assert all_gone(started_in(tmp_path))


def test_a_start_that_is_interrupted_leaves_neither_server_nor_valkey(tmp_path):
    server = Interrupted(tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert len(server.family) > 1
    assert all_gone(server.family)


def test_a_cluster_server_that_is_never_ready_leaves_no_worker(tmp_path):
    server = ClusterServer(tmp_path / "data", **NOWHERE, prefix="nowhere.")
    server.ready_seconds = 3.0
    with pytest.raises(ServerError, match="did not answer"):
        server.start()
    assert [worker.running for worker in server._workers] == [False, False]
    assert all_gone(started_in(tmp_path))


def start_both(installation):
    installation.start_worker()
    installation.nodes[0].start()


def test_an_installation_whose_node_is_never_ready_leaves_nothing(tmp_path):
    installation = Installation(tmp_path / "installation", **NOWHERE, prefix="nowhere.")
    node = installation.node()
    node.ready_seconds = 3.0
    with pytest.raises(ServerError, match="did not answer"), installation:
        start_both(installation)
    assert [program.running for program in (node, *installation.workers)] == [False, False]
    assert all_gone(started_in(tmp_path))
