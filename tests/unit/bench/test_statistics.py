import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics import advantage, median, percentile, rounded, summarise

numbers = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200)


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.99, 99), (0.999, 100), (1, 100)]
)
def test_a_percentile_is_the_value_of_the_nearest_rank(share, expected):
    assert percentile(range(1, 101), share) == expected


def test_binary_fractions_do_not_push_a_percentile_one_rank_up():
    assert percentile(range(1, 1001), 0.07) == 70


def test_nothing_has_no_percentile_and_no_median():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no values"):
        median([])


@pytest.mark.parametrize("share", [-0.1, 1.1, 99])
def test_a_share_is_not_a_percentage(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1.0], share)


@given(numbers, st.floats(min_value=0, max_value=1))
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(values, share):
    ordered = sorted(values)
    bound = percentile(ordered, share)
    assert bound in ordered
    assert sum(value <= bound for value in ordered) >= share * len(ordered) - 1e-6


@given(numbers)
def test_percentiles_never_go_back(values):
    summary = summarise(values)
    assert summary.p50 <= summary.p95 <= summary.p99 <= summary.p999 <= summary.worst


def test_a_summary_is_in_milliseconds():
    summary = summarise([0.003, 0.001, 0.002])
    assert (summary.count, summary.p50, summary.worst) == (3, 2, 3)
    assert math.isclose(summary.mean, 2)


@pytest.mark.parametrize(("values", "expected"), [([3], 3), ([3, 1, 2], 2), ([4, 1, 2, 3], 2.5)])
def test_the_median_is_in_the_middle(values, expected):
    assert median(values) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "better", "expected"),
    [(200, 100, "higher", 2), (50, 100, "higher", 0.5), (1, 4, "lower", 4), (4, 1, "lower", 0.25)],
)
def test_an_advantage_above_one_is_ours_whichever_way_is_better(ours, theirs, better, expected):
    assert advantage(ours, theirs, better) == expected


def test_there_is_no_advantage_over_nothing():
    assert advantage(5, 0, "higher") is None
    assert advantage(0, 5, "lower") is None


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (123456.7, 123457), (0.00123456, 0.001235), (-3.14159, -3.142), (12, 12)]
)
def test_numbers_keep_four_digits(value, expected):
    assert rounded(value) == expected
