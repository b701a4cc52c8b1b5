"""The words of a text, as search compares them."""

import pytest

from projections.mongodb.search_words import words, words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("++ -- _", []),
        ("Red fox", ["red", "fox"]),
        ("C++ and C#", ["c", "and", "c"]),
        ("Café NAÏVE Ångström", ["cafe", "naive", "angstrom"]),
        ("cafe\u0301", ["cafe"]),
        ("snake_case kebab-case dot.case", ["snake", "case", "kebab", "case", "dot", "case"]),
        ("İstanbul", ["istanbul"]),
        ("日本語 한국어", ["日本語", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165"]),
        ("a\x00b \ud800", ["a", "b"]),
        ("v1.10", ["v1", "10"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_words_of_several_fields_occur_once():
    assert words_of(["red fox", None, 5, "Fox den"]) == ["den", "fox", "red"]
