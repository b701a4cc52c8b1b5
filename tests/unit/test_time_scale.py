"""The factor that stretches every limit of time in the tests."""

import os

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
