"""Schemathesis finds nothing: every documented operation keeps to the document, with a token and without."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server, serving

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES, SEED = 8, 20_240_131


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.mark.e2e
@pytest.mark.parametrize("signed_in", [True, False])
def test_the_server_keeps_to_its_document(server: Server, tmp_path: Path, *, signed_in: bool) -> None:
    authorization = ["-H", f"Authorization: Bearer {server.token()}"] if signed_in else []
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(CONFIG),
            "run",
            f"{server.url}/schema/openapi.json",
            "--checks",
            "all",
            "--no-color",
            "--max-examples",
            str(EXAMPLES),
            "--seed",
            str(SEED),
            "--continue-on-failure",
            *authorization,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
