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
    first, second, third, short = (
        "tests/chaos/a.py",
        "tests/chaos/b.py",
        "tests/chaos/c.py",
        "tests/unit/d.py",
    )
    ordered = long_first([first, first, second, second, third, *[short] * 7], str, 2)
    assert ordered[:6] == [first, first, third, short, short, short]
    assert ordered[6:] == [second, second, short, short, short, short]


def test_more_long_tests_than_a_share_has():
    files = ["tests/e2e/a.py"] * 5 + ["tests/unit/b.py"]
    assert sorted(long_first(files, str, 2)) == files
    assert LONG[0] == "tests/e2e"
