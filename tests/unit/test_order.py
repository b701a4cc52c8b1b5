"""The order of the tests among processes."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.order import LONG, long_first

_FILES = st.sampled_from(["tests/e2e/test_a.py", "tests/chaos/test_b.py", "tests/unit/test_c.py"])


@given(files=st.lists(_FILES).map(sorted), processes=st.integers(1, 4))
def test_every_test_comes_once(files, processes):
    tests = list(enumerate(files))
    assert sorted(long_first(tests, lambda test: test[1], processes)) == tests


def test_each_share_begins_with_long_tests_and_keeps_their_files_together():
    files = (
        ["tests/chaos/a.py"] * 2 + ["tests/chaos/b.py"] * 2 + ["tests/chaos/c.py", *["tests/unit/d.py"] * 7]
    )
    ordered = long_first(files, str, 2)
    assert ordered[:6] == [*["tests/chaos/a.py"] * 2, "tests/chaos/c.py", *["tests/unit/d.py"] * 3]
    assert ordered[6:] == [*["tests/chaos/b.py"] * 2, *["tests/unit/d.py"] * 4]


def test_more_long_tests_than_a_share_has():
    files = ["tests/e2e/a.py"] * 5 + ["tests/unit/b.py"]
    assert sorted(long_first(files, str, 2)) == files
    assert LONG[0] == "tests/e2e"
