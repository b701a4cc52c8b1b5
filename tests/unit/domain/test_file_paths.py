import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidError
from domain.file.paths import checked_path, path_fault
from domain.limits import PATH_LENGTH

SEGMENTS = st.sampled_from(["", ".", "..", "...", "a", ".git", "a b", "é", "a\\b", "\x00", "\x85", "\ud800"])


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "src/main.py",
        ".gitignore",
        "a/.../b",
        "..a/b.",
        "Ünïcode/日本.txt",
        "a b/c",
        "C:\\x",
        "a" * PATH_LENGTH,
    ],
)
def test_good_paths(path):
    assert checked_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "/",
        "a//b",
        ".",
        "..",
        "./a",
        "a/.",
        "a/./b",
        "../a",
        "a/..",
        "a/../b",
        "a\x00b",
        "a\nb",
        "a\n",
        "a\x7f",
        "a\x80b",
        "a\udc80b",
        "a" * (PATH_LENGTH + 1),
    ],
)
def test_bad_paths(path):
    with pytest.raises(InvalidError) as caught:
        checked_path(path)
    assert (caught.value.specific_code, caught.value.pointer) == ("invalid_path", "/path")


def test_paths_are_not_normalised():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert checked_path(composed) != checked_path(decomposed)


@given(st.one_of(st.text(max_size=30), st.lists(SEGMENTS, max_size=5).map("/".join)))
def test_a_path_is_accepted_exactly_if_no_segment_is_bad(path):
    segments = path.split("/")
    bad = any(segment in ("", ".", "..") for segment in segments) or re.search(
        r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", path
    )
    assert (path_fault(path) is not None) == bool(bad)
