"""Records handed over in memory: never with a gap."""

from hypothesis import given
from hypothesis import strategies as st

from streams.recent_records import Fresh
from tests.unit.commands.test_chain import a_record


def records(start, count, size=2):
    return [a_record(sequence=number, data=b"x" * size) for number in range(start, start + count)]


@given(
    runs=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=12),
    after=st.integers(0, 60),
    limit=st.integers(1, 9),
)
def test_what_is_handed_over_follows_without_gap(runs, after, limit):
    """G7: a run that was projected elsewhere is missing here, and must not be passed over."""
    fresh, end = Fresh(), 0
    for missing, count in runs:
        fresh.add(records(end + missing + 1, count))
        end += missing + count
    found = fresh.behind(after, limit)
    if found is not None:
        assert [record.sequence for record in found] == list(range(after + 1, after + 1 + len(found)))
        assert 1 <= len(found) <= limit


def test_large_records_are_not_kept():
    fresh = Fresh()
    fresh.add(records(1, 3, size=3 * 1024 * 1024))
    assert fresh.behind(0, 9) is None
    assert [record.sequence for record in fresh.behind(2, 9)] == [3]


def test_nothing_is_known_at_first():
    assert Fresh().behind(0, 1) is None
