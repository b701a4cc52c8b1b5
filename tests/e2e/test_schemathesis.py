"""Schemathesis finds no fault and warns of nothing: every operation conforms to the document."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.schemathesis_data import data_of
from tests.support.proof import ran, size
from tests.support.server import Server, serving
from tests.support.time_scale import stretched

ROOT = Path(__file__).parents[2]
COMMON = Path(__file__).with_name("schemathesis.toml")
EXAMPLES, SEED = size(25, 100), 20_240_131
ANSWER_SECONDS = 30
PHASES: dict[bool, list[str]] = {True: [], False: size(["--phases", "examples,fuzzing,stateful"], [])}
"""Without a token most operations refuse everything alike: the short form leaves out the limits of values."""

GENERATED = re.compile(r"([\d,]+) generated")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", {"CODEPARK_JOBS": "on"}) as running:
        yield running


@pytest.mark.e2e
@pytest.mark.timeout(600)
@pytest.mark.proof("generated REST")
@pytest.mark.parametrize("signed_in", [True, False])
def test_the_server_keeps_to_its_document(server: Server, tmp_path: Path, *, signed_in: bool) -> None:
    common = COMMON.read_text(encoding="utf-8")
    config, known = data_of(server, common, tmp_path, signed_in=signed_in)
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(config),
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
            *PHASES[signed_in],
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks",
            "CODEPARK_SCHEMATHESIS_DATA": str(known),
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, _failures(finished.stdout) + finished.stderr[-2_000:]
    assert "WARNINGS" not in finished.stdout, finished.stdout.partition("WARNINGS")[2]
    generated = GENERATED.search(finished.stdout)
    assert generated, finished.stdout[-2_000:]
    ran(int(generated[1].replace(",", "")))


def _failures(output: str) -> str:
    """Return the part of *output* that describes the failures, and its end."""
    return f"{output.partition('= FAILURES =')[2][:12_000]}\n…\n{output[-2_000:]}"
