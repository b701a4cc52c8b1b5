"""The words of a text, as search compares them."""

import pytest

from projections.search_words import Term, index_terms, query_terms, words


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
        ("日本語 한국어", ["日本語", "한국어"]),
        ("CodeParkプロジェクト2号", ["codepark", "プロジェクト", "2", "号"]),
        ("ｶﾞｰﾄﾞ \uff21\uff22\uff23", ["ガード", "abc"]),
        ("ภาษาไทย ที่นี่", ["ภาษาไทย", "ที่นี่"]),
        ("हिन्दी שָׁלוֹם", ["हिन्दी", "שלום"]),
        ("a\x00b \ud800", ["a", "b"]),
        ("v1.10", ["v1", "10"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_words_of_several_fields_occur_once():
    assert index_terms(["red fox", None, 5, "Fox den"]) == ["den", "fox", "red"]


def test_a_run_is_kept_as_its_ends():
    assert index_terms(["日本語x"]) == ["x", "日本語", "本語", "語"]
    assert index_terms(["一二三四五六七八九"])[:2] == ["一二三四五六七八", "七八九"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red fox", [Term("red", prefix=False), Term("fox", prefix=True)]),
        ("日本 red 語", [Term("日本", prefix=True), Term("red", prefix=False), Term("語", prefix=True)]),
        (
            "一二三四五六七八九",
            [Term("一二三四五六七八", prefix=False), Term("二三四五六七八九", prefix=False)],
        ),
        ("++", []),
    ],
)
def test_what_is_searched_for(text, expected):
    assert query_terms(text) == expected
