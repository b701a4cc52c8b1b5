"""The collector's threshold is raised while code uses this, and back at its old value after the last use."""

import gc

import pytest

from commands.kafka.garbage_collection import infrequent_collection


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_the_threshold_is_restored_when_the_last_user_leaves(thresholds):
    first, second = infrequent_collection(), infrequent_collection()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold() == (200_000, *thresholds[1:])
    first.__exit__(None, None, None)
    assert gc.get_threshold() == (200_000, *thresholds[1:])
    second.__exit__(None, None, None)
    assert gc.get_threshold() == thresholds


@pytest.mark.parametrize("first", [0, 1_000_000])
def test_a_collector_that_is_off_or_runs_even_less_often_stays_so(thresholds, first):
    gc.set_threshold(first, *thresholds[1:])
    with infrequent_collection():
        assert gc.get_threshold()[0] == first


def test_the_threshold_is_restored_after_a_failure(thresholds):
    with pytest.raises(ValueError, match="fails"), infrequent_collection():
        raise ValueError("fails")
    assert gc.get_threshold() == thresholds
