"""Paths of git as text: one to one, and unchanged where nothing forces a change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codepark.history_import.git.paths import path_text

PIECES = [
    b"a",
    b"/",
    b"%",
    b"%F",
    b"FF",
    b"%FF",
    b"%25",
    b"25",
    b"\xff",
    b"\xc3",
    b"\xa9",
    b"\x01",
    b"01",
    b"%C2%85",
]
paths = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=8).map(b"".join)


@given(paths, paths)
def test_different_paths_have_different_texts(one, other):
    assert (path_text(one) == path_text(other)) == (one == other)


@given(paths)
def test_a_text_has_no_control_characters_and_a_utf_8_form(path):
    text = path_text(path)
    text.encode()
    assert all(character.isprintable() or character.isspace() or ord(character) > 0x9F for character in text)
    assert not set(text) & {chr(code) for code in (*range(32), *range(127, 160))}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"a\xff", "a%FF"),
        (b"a%FF", "a%25FF"),
        (b"a%25FF", "a%2525FF"),
        (b"%01", "%2501"),
        (b"\x01", "%01"),
        (b"50%\xff", "50%%FF"),
        (b"%25\xff", "%2525%FF"),
        (b"%ff\xff", "%ff%FF"),
        *(
            (path, path.decode())
            for path in (b"100%", b"100%25", b"a%20b", b"%2F", b"caf%C3%A9", b"%ff", b"%7e")
        ),
        ("caf\u00e9/\U0001f600".encode(), "caf\u00e9/\U0001f600"),
    ],
)
def test_only_paths_that_need_it_are_encoded(path, text):
    assert path_text(path) == text
