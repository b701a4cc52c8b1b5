"""The full form of the proofs: what is repeated, counted and printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.time_scale import stretched

ROOT = Path(__file__).parents[2]
CONFTEST = "from tests.conftest import pytest_configure, pytest_timeout_set_timer\n"
TESTS = """
import pytest
from hypothesis import given, strategies as st
from tests.support.proof import ran, size

@given(st.integers())
@pytest.mark.parametrize("_", "ab")
def test_law(_, number):
    assert number == number

@pytest.mark.proof("searched")
@given(st.integers())
def test_search(number):
    assert number != number

@pytest.mark.proof("repeated", rounds=3)
def test_repeated():
    assert size("short", "full") == "full"

@pytest.mark.proof("counted")
def test_counted():
    ran()
    ran(6)

@pytest.mark.proof("skipped")
@pytest.mark.skip(reason="there is no server")
def test_skipped():
    raise AssertionError

@pytest.fixture
def broken():
    raise AssertionError

@pytest.mark.proof("not started")
def test_that_cannot_start(broken):
    pass

def test_no_proof():
    raise AssertionError
"""


@pytest.fixture
def run(tmp_path):
    """Return the figures of a run of `TESTS`, by proof, and all that it prints."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)

    def run_it(*options, full="1"):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "CODEPARK_PROOF": full}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-o",
            "markers=proof(name)",
            *options,
        ]
        finished = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=stretched(60),
        )
        lines = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith('{"proof"')]
        return {line["proof"]: line for line in lines}, finished.stdout

    return run_it


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_each_proof_has_a_line_with_its_figures(run, workers):
    figures, output = run("-m", "proof", *workers)
    assert {name: line["failures"] for name, line in figures.items()} == {
        "laws": 0,
        "searched": 1,
        "repeated": 0,
        "counted": 0,
        "not started": 1,
        "skipped": 0,
    }, output
    assert figures["laws"]["runs"] >= 2_000, "two tests with the examples of the full form"
    assert figures["searched"]["runs"] >= 1
    assert (figures["repeated"]["runs"], figures["counted"]["runs"], figures["not started"]["runs"]) == (
        3,
        7,
        0,
    )
    assert all(line["seconds"] >= 0 for line in figures.values())


def test_the_short_form_repeats_and_prints_nothing(run):
    figures, output = run("-k", "counted or repeated", full="")
    assert figures == {}
    assert "1 failed, 1 passed" in output, "size() gives the short form, once"
