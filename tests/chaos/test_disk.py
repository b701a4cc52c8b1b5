"""G1, G12: a full disk, and a directory that cannot be used."""

import os
import resource
import subprocess
import sys

import pytest

from codepark.profiles.embedded import EmbeddedProfile
from codepark.settings import Settings
from tests.support.server import Server
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120), pytest.mark.proof("disk full", rounds=5)]

LIMIT = 6 * 1024 * 1024


def test_a_full_disk_refuses_with_503_and_loses_nothing_acknowledged(tmp_path):
    """No file of the server's may grow beyond a limit, which SQLite finds out as it does on a full disk."""
    server = Server(tmp_path / "data").start()
    with server.client(server.token()) as client:
        project = client.post("/api/v1/projects", json={"name": "p"}).json()["id"]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
        acknowledged, refused = {}, None
        for number in range(200):
            content = os.urandom(100_000).hex()
            key = {"Idempotency-Key": f"k{number}"}
            answer = client.put(
                f"/api/v1/projects/{project}/files/{number}", json={"content": content}, headers=key
            )
            if answer.status_code == 503:
                refused = answer
                break
            assert answer.status_code == 201
            acknowledged[str(number)] = content
        assert refused is not None
        assert refused.headers["Retry-After"]
        assert refused.headers["CodePark-Command"]
        assert refused.json()["code"] in ("log_unavailable", "result_unavailable")
        assert client.get("/health/live").is_success
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        again = client.put(
            f"/api/v1/projects/{project}/files/{len(acknowledged)}",
            json={"content": content},
            headers={"Idempotency-Key": f"k{len(acknowledged)}"},
        )
        assert again.status_code == 201, again.text
        acknowledged[str(len(acknowledged))] = content
        for path, content in acknowledged.items():
            assert client.get(f"/api/v1/projects/{project}/files/{path}").json()["content"] == content
    assert server.stop() == 0
    parts = EmbeddedProfile(Settings(data=tmp_path / "data"))
    try:
        written = [record for record in parts.log.read(0, 10_000) if record.topic == "file.written"]
        assert len(written) == len(acknowledged)
    finally:
        parts.close()


def test_a_directory_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    done = subprocess.run(
        [sys.executable, "-m", "codepark.cli", "serve", "--data", str(tmp_path / "file" / "data")],
        check=False,
        capture_output=True,
        text=True,
        timeout=stretched(60),
    )
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
