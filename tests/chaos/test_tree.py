"""kill -9 of any process of the tree leaves no orphan that serves or holds the data directory."""

import psutil
import pytest

from devservers.errors import ServerError
from tests.support.insights import measured
from tests.support.server import Server, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120), pytest.mark.proof("process tree killed", rounds=5)]


def children(server):
    return psutil.Process(server.pid).children(recursive=True)


def gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def write_python(client):
    project = client.post("/api/v1/projects", json={"name": "p"}).json()["id"]
    assert client.put(
        f"/api/v1/projects/{project}/files/a.py", json={"content": "def f():\n    return 1\n"}
    ).is_success
    return project


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "data").start()
    yield made
    for process in children(made) if psutil.pid_exists(made.pid) else []:
        process.kill()
    made.kill()


def test_killing_the_server_ends_its_children_and_frees_the_directory(server):
    with server.client(server.token()) as client:
        project = write_python(client)
        # The insights were asked for, so that the analyser's process runs beside Valkey's.
        eventually(lambda: client.get(f"/api/v1/projects/{project}").json()["aiInsights"]["complexity"] == 1)
    family = children(server)
    assert {"valkey-server"} <= {process.name() for process in family}
    assert len(family) >= 2
    server.kill()
    eventually(lambda: all(gone(process) for process in family))
    server.start()
    with server.client(server.token()) as client:
        assert client.get(f"/api/v1/projects/{project}").is_success
    assert server.stop() == 0


def test_killing_a_child_disturbs_nobody(server):
    with server.client(server.token()) as client:
        project = write_python(client)
        eventually(lambda: not client.get(f"/api/v1/projects/{project}").json()["insightsPending"])
        for child in children(server):
            child.kill()
        path = f"/api/v1/projects/{project}/files/b.py"
        written = client.put(path, json={"content": "def g(a):\n    return a or 1\n"})
        position = written.headers["CodePark-Position"]
        assert measured(client, f"/api/v1/projects/{project}", written)["complexity"] == 1.5
        before = client.get(f"/api/v1/projects/{project}", params={"asOf": position})
        assert before.is_success
        eventually(lambda: any(process.name() == "valkey-server" for process in children(server)))
    assert server.stop() == 0


def test_a_second_server_on_the_same_port_refuses_and_says_why(server, tmp_path):
    second = Server(tmp_path / "other", port=server.port)
    second.launch()
    assert second.ended(30) == 1
    assert "choose another with --port" in second.printed


def test_a_second_server_on_the_same_directory_refuses_and_says_why(server, tmp_path):
    second = Server(tmp_path / "data")
    with pytest.raises(ServerError, match="is held by another process"):
        second.start()
    with server.client() as client:
        assert client.get("/health/live").is_success
