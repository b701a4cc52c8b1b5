"""The collector's threshold is raised while somebody asks for it, and is what it was when the last one has left."""

import gc

import pytest

from commands.kafka.garbage_collection import collecting_seldom


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_the_threshold_comes_back_when_the_last_one_leaves(thresholds):
    first, second = collecting_seldom(), collecting_seldom()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold() == (200_000, *thresholds[1:])
    first.__exit__(None, None, None)
    assert gc.get_threshold() == (200_000, *thresholds[1:])
    second.__exit__(None, None, None)
    assert gc.get_threshold() == thresholds


@pytest.mark.parametrize("first", [0, 1_000_000])
def test_who_collects_never_or_seldom_is_left_alone(thresholds, first):
    gc.set_threshold(first, *thresholds[1:])
    with collecting_seldom():
        assert gc.get_threshold()[0] == first


def test_a_failure_leaves_nothing_behind(thresholds):
    with pytest.raises(ValueError, match="away"), collecting_seldom():
        raise ValueError("away")
    assert gc.get_threshold() == thresholds
