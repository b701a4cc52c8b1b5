"""Schemathesis finds no fault: every operation conforms to the document, with and without a token."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.proof import ran, size
from tests.support.server import Server, serving
from tests.support.time_scale import stretched

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES, SEED = size(8, 100), 20_240_131
ANSWER_SECONDS = 30
GENERATED = re.compile(r"([\d,]+) generated")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.mark.e2e
@pytest.mark.proof("generated REST")
@pytest.mark.parametrize("signed_in", [True, False])
def test_the_server_keeps_to_its_document(server: Server, tmp_path: Path, *, signed_in: bool) -> None:
    authorization = ["-H", f"Authorization: Bearer {server.token()}"] if signed_in else []
    finished = subprocess.run(
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
            "--request-timeout",
            str(stretched(ANSWER_SECONDS)),
            "--continue-on-failure",
            *authorization,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stdout[-8_000:] + finished.stderr[-2_000:]
    generated = GENERATED.search(finished.stdout)
    assert generated, finished.stdout[-2_000:]
    ran(int(generated[1].replace(",", "")))
