"""Every refusal of a decoder is a sentence that says what to write."""

import time
from enum import Enum
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from read_api.gateway.bodies import decode_body, invalid
from read_api.gateway.patterns import choice
from read_api.gateway.query_strings import check_parameters, decode_query, read_query
from read_api.problem_titles import title_of
from read_api.problems import BadInputError, HttpError

KIND = choice(["tool.make", "tool.mend"], "a kind of work")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Part(Struct, forbid_unknown_fields=True):
    colour: Colour = Colour.RED


class Thing(Struct, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(min_length=2, max_length=5)]
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    least: Annotated[int, Meta(gt=3)] = 4
    tags: Annotated[tuple[str, ...], Meta(min_length=1)] = ("a",)
    parts: list[Part] | None = None
    work: Annotated[str, Meta(pattern=KIND)] = "tool.make"
    ready: bool = False


class Loose(Struct):
    name: object = None
    parts: object = None


HALF = r"the body has a half of a character: \ud800 to \udfff are written in pairs"


@pytest.mark.parametrize(
    ("body", "pointer", "sentence"),
    [
        ("[]", "", "write an object, not a list"),
        ("{}", "", "write name too: it is required"),
        ('{"name": "a"}', "/name", "write 2 to 5 characters"),
        ('{"name": null}', "/name", "write a text, not null"),
        ('{"name": "ab", "count": 12}', "/count", "write a whole number from 1 to 9"),
        ('{"name": "ab", "least": 3}', "/least", "write a whole number from 4"),
        ('{"name": "ab", "tags": []}', "/tags", "write at least one item"),
        ('{"name": "ab", "parts": 3}', "/parts", "write a list or null, not a whole number"),
        (
            '{"name": "ab", "parts": [{"colour": "gren"}]}',
            "/parts/0/colour",
            "there is no gren: did you mean green?",
        ),
        ('{"name": "ab", "parts": [{"colour": 3}]}', "/parts/0/colour", "write one of red, green"),
        (
            '{"name": "ab", "parts": [{"color": ""}]}',
            "/parts/0/color",
            "unknown field `color`: did you mean colour?",
        ),
        (
            '{"name": "ab", "a/b~": 1}',
            "/a~1b~0",
            "unknown field `a/b~`: choose from name, count, least, tags, parts, work, ready",
        ),
        (
            '{"name": "ab", "work": "tool.mnd"}',
            "/work",
            "tool.mnd is not a kind of work: did you mean tool.mend or tool.make?",
        ),
        ('{"name": "ab", "ready": "yes"}', "/ready", "write true or false, not a text"),
    ],
)
def test_a_mistake_in_a_body(body, pointer, sentence):
    with pytest.raises(BadInputError) as refused:
        decode_body(body.encode(), Thing)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.detail) == (pointer, sentence)
    assert "`str`" not in refused.value.detail


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is empty: send JSON"),
        (b" \n", "the body is empty: send JSON"),
        (b'{"name": "ab"', "the body is not JSON: it ends before its last bracket or quotation mark"),
        (b'{"name": "\xff"}', "the body is not UTF-8"),
        (b"{'name': 1}", "the body is not JSON: object keys must be strings (byte 1)"),
        (b'{"name": ' + b"[" * 100_000, "the body is nested too deeply"),
        (b'{"parts": ' + b"[" * 100_000, "the body is nested too deeply"),
        (rb'{"name": "a\ud800"}', HALF),
        (rb'{"name": "a\ud800b"}', HALF),
        (rb'{"name": "a\uDC00"}', HALF),
        (rb'{"name": "a\ud800\u0041"}', HALF),
    ],
)
def test_what_is_no_json_says_why(body, sentence):
    with pytest.raises(BadInputError) as refused:
        decode_body(body, Loose)
    assert (refused.value.code, refused.value.detail) == ("invalid_json", sentence)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "1e" + "9" * 30])
def test_a_number_that_no_computer_holds(number):
    with pytest.raises(BadInputError) as refused:
        decode_body(f'{{"name": "ab", "count": {number}}}'.encode(), Thing)
    assert refused.value.detail.startswith("count: write a whole number")


class Query(Struct, kw_only=True, rename={"from_": "from"}):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    unread: bool | None = None
    from_: str | None = None


@pytest.mark.parametrize(
    ("raw", "pointer", "sentence"),
    [
        (b"limit=x", "/limit", "query parameter limit: write a whole number"),
        (b"limit=0", "/limit", "query parameter limit: write a whole number from 1 to 100"),
        (b"unread=perhaps", "/unread", "query parameter unread: write true or false"),
        (b"limit=1&limit=1", "/limit", "the query parameter limit is given more than once: give it once"),
        (b"%ff=1", "", "the query is not percent-encoded UTF-8"),
        (b"a=1&" * 100, "", "a query has at most 100 parameters"),
    ],
)
def test_a_mistake_in_a_query(raw, pointer, sentence):
    with pytest.raises(BadInputError) as refused:
        decode_query(read_query(raw), Query)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.detail) == (pointer, sentence)


def test_unknown_parameters_are_named_with_the_known_ones():
    known = frozenset(Query.__struct_encode_fields__)
    check_parameters(read_query(b"from=now&limit=1"), known)
    with pytest.raises(HttpError) as refused:
        check_parameters(read_query(b"since=now&limit=1&Limit=2"), known)
    assert [fault.pointer for fault in refused.value.faults] == ["/since", "/Limit"]
    assert refused.value.detail == "unknown query parameter since, Limit: this path takes from, limit, unread"
    with pytest.raises(HttpError, match="takes no query parameters"):
        check_parameters({"a": ""}, ())


def test_each_code_has_its_title():
    assert title_of("version_mismatch", 412) == "This is not the current version"
    assert title_of("review_closed", 409) == "Review closed"
    assert title_of("", 404) == "Not Found"


@pytest.mark.parametrize("name", [" - at `$", "a" * 9, "`", "é"])
def test_a_refusal_reads_and_repeats_little_of_a_name_that_is_as_long_as_the_body(name):
    """The refusal is written by the event loop: what it reads of eight megabytes keeps all others waiting."""
    start = time.thread_time()
    refusal = invalid(f"Object contains unknown field `{name * 1_000_000}` - at `$.a`", type_=Thing)
    assert time.thread_time() - start < 0.05
    (fault,) = refusal.faults
    assert fault.pointer.startswith("/a/")
    assert len(fault.pointer) + len(fault.detail) < 1_000


def test_a_message_that_is_not_known_stays_as_it_is():
    class Bytes(msgspec.Struct):
        data: bytes

    with pytest.raises(BadInputError, match="Invalid base64"):
        decode_body(b'{"data": "%"}', Bytes)
