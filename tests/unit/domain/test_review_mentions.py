import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.review.mentions import _without_spans, mentioned_names

PIECES = st.sampled_from(
    ["@ada", "@", "`", "``", "```", "~~~", "\n", "\n\n", " ", "a@b.c", "é", "@x-", "    "]
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("no one", ()),
        ("@ada", ("ada",)),
        ("Hi @ada, @bob-2: look.", ("ada", "bob-2")),
        ("(@ada) **@bob** '@eve'", ("ada", "bob", "eve")),
        ("@Ada and @ada and @ADA", ("Ada",)),
        ("thanks @ada. @bob!", ("ada", "bob")),
        ("mail ada@example.org", ()),
        ("mail a.b+c@example.org or ada@bob@eve", ()),
        ("https://example.org/@ada", ()),
        ("@@ada", ()),
        ("@-ada", ()),
        ("@ada_x", ()),
        ("@" + "a" * 39, ("a" * 39,)),
        ("@" + "a" * 40, ()),
        ("`@ada` @bob", ("bob",)),
        ("``@ada ` @eve`` @bob", ("bob",)),
        ("`@ada", ("ada",)),
        ("` @ada\n\n` @bob", ("ada", "bob")),
        ("```\n@ada\n```\n@bob", ("bob",)),
        ("~~~py\n@ada\n```\n@eve\n~~~\n@bob", ("bob",)),
        ("````\n```\n@ada\n````\n@bob", ("bob",)),
        ("```\n@ada", ()),
        ("``` a` @ada", ("ada",)),
        ("> @ada\r\n- @bob", ("ada", "bob")),
    ],
)
def test_mentioned_names(text, names):
    assert mentioned_names(text) == names


def test_a_text_mentions_fifty_accounts_at_most():
    text = " ".join(f"@name{number} @NAME{number}" for number in range(3_000))
    assert mentioned_names(text) == tuple(f"name{number}" for number in range(50))


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_it_never_raises_and_names_each_once(text):
    names = mentioned_names(text)
    assert all("@" + name in text for name in names)
    assert len({name.lower() for name in names}) == len(names)


@given(st.text("` a@", max_size=40))
def test_a_code_span_ends_where_commonmark_says(text):
    """The rule as one expression, which is exact and takes too long for long texts."""
    span = re.compile(r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)", re.DOTALL)
    assert _without_spans(text) == span.sub(" ", text)


@pytest.mark.parametrize(
    "text",
    [
        "`" * 20_000 + "@a",
        "@a" + "` " * 10_000,
        "@a " + " ".join("`" * length for length in range(1, 199)),
        "```x\n" * 4_000 + "@a",
        "@" + "a" * 20_000,
        "@" * 20_000,
    ],
)
def test_hostile_texts_take_no_time(text):
    start = time.thread_time()  # what others do on this machine does not count
    mentioned_names(text)
    assert time.thread_time() - start < 1
