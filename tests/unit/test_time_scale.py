"""The factor that stretches every limit of time in the tests."""

import ast
import os
from pathlib import Path

import pytest

from tests.support import time_scale
from tests.support.time_scale import TimeScale, stretched


@pytest.fixture
def load(monkeypatch):
    """Set the averages of the last minute, five and fifteen minutes, of a machine with two cores."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    def set_load(*averages):
        monkeypatch.setattr(os, "getloadavg", lambda: averages)

    return set_load


def test_an_idle_machine_stretches_nothing(load):
    load(0.1, 0.2, 9.0)
    assert TimeScale().factor() == 1.0


@pytest.mark.parametrize("averages", [(14.0, 2.0, 0.0), (2.0, 14.0, 0.0)])
def test_the_load_per_core_is_the_factor(load, averages):
    load(*averages)
    assert TimeScale().factor() == 7.0


def test_load_that_comes_later_counts_and_load_that_goes_is_not_forgotten(load):
    load(2.0, 2.0, 2.0)
    scale = TimeScale()
    assert scale.factor() == 1.0
    load(8.0, 2.0, 2.0)
    assert scale.factor() == 4.0
    load(0.0, 0.0, 0.0)
    assert scale.factor() == 4.0


def test_a_factor_that_is_given_stays(load):
    load(14.0, 14.0, 14.0)
    assert TimeScale("2.5").factor() == 2.5


@pytest.mark.parametrize("text", ["0.5", "0", "-1", "nan", "inf", "fast", ""])
def test_a_factor_that_cannot_be_one_is_refused(text):
    with pytest.raises(ValueError, match="CODEPARK_TEST_TIME_SCALE is"):
        TimeScale(text)


def test_a_limit_is_stretched(monkeypatch):
    monkeypatch.setattr(time_scale, "_SCALE", TimeScale("3"))
    assert stretched(20) == 60


TESTS = Path(__file__).parents[1]
LIMITS = {"timeout", "open_timeout", "socket_timeout", "lock_timeout", "pool_timeout", "deadline"}
WAITS = {"wait", "join", "acquire", "timeout"}
SHORTEST = 1
"""A shorter limit is a look at what does not happen, and not a limit for something that does."""


def bare_limits(source):
    """Return the lines on which a call has a time limit that is a plain number."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sorted(call.lineno for call in calls if any(map(is_long, limits_of(call))))


def limits_of(call):
    named = [keyword.value for keyword in call.keywords if keyword.arg in LIMITS]
    function = call.func
    if not isinstance(function, ast.Attribute) or ast.unparse(function) == "pytest.mark.timeout":
        return named
    return [*named, *(call.args[:1] if function.attr in WAITS else ())]


def is_long(value):
    return (
        isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value >= SHORTEST
    )


def test_each_limit_is_stretched():
    """Write `timeout=stretched(30)`; `eventually(…, seconds=30)` and pytest's limit are stretched already."""
    places = {
        path.relative_to(TESTS).as_posix(): lines
        for path in sorted(TESTS.rglob("*.py"))
        if (lines := bare_limits(path.read_text(encoding="utf-8")))
    }
    assert places == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("run(timeout=60)", [1]),
        ("\nevent.wait(10)", [2]),
        ("thread.join(30.0)", [1]),
        ("run(timeout=stretched(60))", []),
        ("event.wait(0.2)", []),
        ("pytest.mark.timeout(300)", []),
        ("', '.join(names)", []),
    ],
)
def test_what_is_taken_for_a_limit(source, lines):
    assert bare_limits(source) == lines
