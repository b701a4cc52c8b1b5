"""Records that were appended recently: never with a gap."""

from hypothesis import given
from hypothesis import strategies as st

from streams.recent_records import RecentRecords
from tests.support.records import a_record


def records(start, count, size=2):
    return [a_record(sequence=number, data=b"x" * size) for number in range(start, start + count)]


@given(
    runs=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=12),
    after=st.integers(0, 60),
    limit=st.integers(1, 9),
)
def test_the_records_after_a_sequence_follow_without_a_gap(runs, after, limit):
    """G7: a run that was projected elsewhere is missing here, and must not be skipped."""
    recent, end = RecentRecords(), 0
    for missing, count in runs:
        recent.add(records(end + missing + 1, count))
        end += missing + count
    following = recent.after(after, limit)
    if following is not None:
        expected = list(range(after + 1, after + 1 + len(following)))
        assert [record.sequence for record in following] == expected
        assert 1 <= len(following) <= limit


def test_large_records_are_not_kept():
    recent = RecentRecords()
    recent.add(records(1, 3, size=3 * 1024 * 1024))
    assert recent.after(0, 9) is None
    assert [record.sequence for record in recent.after(2, 9)] == [3]


def test_nothing_is_known_at_first():
    assert RecentRecords().after(0, 1) is None
