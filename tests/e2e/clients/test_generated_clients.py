"""Clients that generators make from the published documents compile, and carry out a small session."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.graphql.node import install
from tests.support.cluster import cannot_have
from tests.support.people import Person
from tests.support.server import Server, serving
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FOLDER = Path(__file__).parent
SECONDS = 120
GENERATED = {"scalars": {"DateTime": "string", "JSON": "unknown"}, "enumsAsTypes": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("clients") / "data") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the sessions and the packages that compile them."""
    install(FOLDER)
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    shutil.copy(FOLDER / "tsconfig.json", tmp_path)
    return tmp_path


def printed(command: list[str], folder: Path, **variables: str) -> str:
    """Return what *command* prints in *folder*; it must succeed."""
    finished = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=stretched(SECONDS),
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-6_000:] + finished.stderr[-3_000:]
    return finished.stdout


def session(command: list[str], folder: Path, **variables: str) -> Any:
    """Return the JSON in the last line that *command* prints."""
    return json.loads(printed(command, folder, **variables).splitlines()[-1])


def test_a_typescript_client_of_the_openapi_document(server: Server, folder: Path) -> None:
    shutil.copy(FOLDER / "rest.ts", folder)
    binaries = folder / "node_modules" / ".bin"
    document = f"{server.url}/schema/openapi.json"
    printed([str(binaries / "openapi-typescript"), document, "-o", "api.d.ts"], folder)
    types = (folder / "api.d.ts").read_text(encoding="utf-8")
    assert "id: string;" in types.partition("        ProjectView: {")[2].partition("};")[0]
    printed([str(binaries / "tsc"), "-p", "."], folder)
    shown = session(["node", "rest.js", server.url], folder)
    assert "counter" in shown["names"]
    assert shown["paths"] == ["count.py"]
    assert (shown["statuses"], shown["refused"]) == (["accepted"], "project_not_found")


def test_a_typescript_client_of_the_graphql_schema(server: Server, folder: Path) -> None:
    for name in ("graphql.ts", "session.graphql"):
        shutil.copy(FOLDER / name, folder)
    person = Person(server, "graph")
    config = {
        "schema": [{f"{server.url}/graphql": {"headers": {"Authorization": f"Bearer {person.token}"}}}],
        "documents": "session.graphql",
        "generates": {
            "graphql-types.ts": {
                "plugins": ["typescript-operations"],
                "config": GENERATED,
            }
        },
    }
    (folder / "codegen.json").write_text(json.dumps(config), encoding="utf-8")
    binaries = folder / "node_modules" / ".bin"
    printed([str(binaries / "graphql-codegen"), "--config", "codegen.json"], folder)
    printed([str(binaries / "tsc"), "-p", "."], folder)
    shown = session(["node", "graphql.js", server.url, person.token], folder)
    assert ("graph" in shown["names"], shown["paths"]) == (True, ["count.py"])


def test_a_python_client_of_the_openapi_document(server: Server, tmp_path: Path) -> None:
    python = _generator()
    document = f"{server.url}/schema/openapi.json"
    generator = [
        str(python.with_name("openapi-python-client")),
        "generate",
        "--fail-on-warning",
        "--url",
        document,
    ]
    config = tmp_path / "config.yml"
    config.write_text("post_hooks: []\n", encoding="utf-8")
    printed([*generator, "--output-path", "client", "--config", str(config)], tmp_path)
    shown = session([str(python), str(FOLDER / "session.py"), server.url], tmp_path, PYTHONPATH="client")
    assert shown["name"] == "python"
    assert (shown["names"], shown["paths"], shown["visibility"]) == (["counter"], ["count.py"], "private")


def _generator() -> Path:
    """Return the Python of an environment with the generator, which is made once for all workers of a run."""
    lock_file, home = FOLDER / "requirements.lock", Path(sys.prefix) / "clients"
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    python, marker = home / "bin" / "python", home / ".installed"
    with (FOLDER / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.exists() and marker.read_text(encoding="utf-8") == digest:
            return python
        pip = [str(python), "-m", "pip", "--quiet", "install", "--require-hashes", "-r", str(lock_file)]
        for command in ([sys.executable, "-m", "venv", "--clear", str(home)], pip):
            finished = subprocess.run(
                command, capture_output=True, text=True, timeout=stretched(SECONDS), check=False
            )
            if finished.returncode != 0:
                cannot_have(f"the generator could not be installed: {finished.stderr[-500:]}")
        marker.write_text(digest, encoding="utf-8")
    return python
