"""What reads a text that a caller sent takes time in proportion to its length, whatever the text is.

Each row of the table is a function and a family of texts that is as hard for it as we could think of. A new
parser, splitter or pattern that callers reach joins by a row.
"""

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import msgspec
import pytest
from msgspec import Struct

from commands.position import parse_position
from domain.addresses import address_key
from domain.errors import Refusal
from domain.file.paths import path_fault
from domain.limits import EMAIL, HANDLE, LINE, PATH, SHA, UUID
from domain.near_names import did_you_mean
from domain.review.mentions import mentioned_names
from domain.text import checked_line, checked_text, checked_words
from domain.times import from_rfc3339
from projections.models.languages import language_of
from projections.queries.page import decode_cursor
from projections.search_words import index_terms, query_terms, words
from projections.sqlite.conditions import search
from read_api.auth.second_factor import normalised
from read_api.contract import parameters
from read_api.contract.event_filter import event_filter
from read_api.gateway.answers import pick_fields
from read_api.gateway.bodies import check_media_type, decode_body, invalid
from read_api.gateway.clients import Clients
from read_api.gateway.commands import command_metadata
from read_api.gateway.compression import takes_gzip
from read_api.gateway.preconditions import entity_tags, not_modified
from read_api.gateway.query_strings import check_parameters, read_query
from read_api.graphql.media_types import answer_type
from read_api.graphql.node import parse_global_id
from read_api.graphql.requests import OperationPayload
from read_api.problems import HttpError

SMALL, GROWTH = 5_000, 16
MOST = 2.0 * GROWTH  # of a function whose time grows with the power 1.5, it would be GROWTH ** 1.5
ROUNDS = 8
NOTICED = 0.002
"""Seconds below which a difference says nothing."""


class Body(Struct, forbid_unknown_fields=True):
    text: str = ""


def matches(pattern: str) -> Callable[[str], object]:
    """Return a check of a text as msgspec makes it of a field with this pattern."""
    annotated = msgspec.Meta(pattern=pattern)
    return lambda text: msgspec.convert(text, Annotated[str, annotated])


def forwarded(text: str) -> None:
    from ipaddress import ip_network

    scope = {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", text.encode("latin-1"))]}
    Clients((ip_network("127.0.0.0/8"),)).of(scope)


def growing_runs(count: int) -> str:
    """Return about *count* characters: runs of backticks, none as long as another."""
    runs, length = [], 0
    while sum(map(len, runs)) + len(runs) < count:
        length += 1
        runs.append("`" * length)
    return "@a " + " ".join(runs)


TABLE: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    "mentions: backticks in runs of growing length": (mentioned_names, growing_runs),
    "mentions: many single backticks": (mentioned_names, lambda n: "@a" + "` " * (n // 2)),
    "mentions: different names": (mentioned_names, lambda n: " ".join(f"@n{i}" for i in range(n // 7))),
    "mentions: many at signs": (mentioned_names, lambda n: "@" * n),
    "mentions: names that are too long": (mentioned_names, lambda n: ("@" + "a-" * 30) * (n // 61)),
    "mentions: fences that nothing closes": (mentioned_names, lambda n: "@a\n" + "```x\n" * (n // 5)),
    "mentions: a long fence, then shorter ones": (
        mentioned_names,
        lambda n: "@a\n" + "~" * (n // 2) + "\n" + "~~~\n" * (n // 8),
    ),
    "mentions: lines of blanks": (mentioned_names, lambda n: "@a\n" + " " * n + "x" + "\n \n" * n),
    "a path of dots and slashes": (path_fault.__wrapped__, lambda n: "./" * (n // 2)),
    "one line": (lambda text: checked_line(text, pointer="", longest=10**9), lambda n: " " * n + "a" * n),
    "a text": (lambda text: checked_text(text, pointer="", longest=10**9), lambda n: "é" * n),
    "words": (lambda text: checked_words(text, pointer="", longest=10**9), lambda n: " " * n),
    "a time": (from_rfc3339, lambda n: "2026-01-01T00:00:00." + "0" * n + "Z"),
    "the language of a file": (language_of, lambda n: "a/." * (n // 3)),
    "search words": (words, lambda n: "é_" * (n // 2)),
    "terms of a run": (lambda text: index_terms([text]), lambda n: "プロ" * (n // 2)),
    "terms of a search": (query_terms, lambda n: "日本x" * (n // 3)),
    "a search expression": (search, lambda n: '" a' * (n // 3)),
    "a position": (parse_position, lambda n: "gA" * (n // 2)),
    "a cursor": (lambda text: decode_cursor("list", text), lambda n: "kt" * (n // 2)),
    "an address": (address_key, lambda n: "é" * n + "@example.org"),
    "an address in a long domain": (address_key, lambda n: "a@" + "é." * (n // 2)),
    "a code with blanks": (normalised, lambda n: "1 -" * (n // 3)),
    "If-None-Match": (lambda text: not_modified(text, '"1"'), lambda n: '"a",' * (n // 4) + '"a"'),
    "If-None-Match that never closes": (lambda text: not_modified(text, '"1"'), lambda n: 'W/"' * (n // 3)),
    "If-Match": (lambda text: entity_tags(text, "If-Match"), lambda n: '"' + "1-" * (n // 2) + '"'),
    "fields": (lambda text: pick_fields({}, text), lambda n: "a," * (n // 2)),
    "a query": (lambda text: read_query(text.encode()), lambda n: "a=%C3%A9&" * (n // 9)),
    "a query of blanks": (lambda text: read_query(text.encode()), lambda n: "a=" + "+%20" * (n // 4)),
    "unknown parameters": (
        lambda text: check_parameters(dict.fromkeys(text.split(",")), ("a",)),
        lambda n: ",".join(f"p{i}" for i in range(n // 7)),
    ),
    "a filter of events": (
        lambda text: event_filter(types=text, streams=text, projects=text, actors=text),
        lambda n: "a," * (n // 2) + "a",
    ),
    "a time of a filter": (lambda text: event_filter(since=text), lambda n: "2026-01-01T00:00:00." + "0" * n),
    "a near name": (lambda text: did_you_mean(text, ("project.created",)), lambda n: "pro" * n),
    "Content-Type": (check_media_type, lambda n: "application/json;" + '" ;' * (n // 3)),
    "a traceparent": (
        lambda text: command_metadata(None, correlation="", traceparent=text),
        lambda n: "00-" * n,
    ),
    "an idempotency key": (lambda text: command_metadata(None, correlation="", key=text), lambda n: "k" * n),
    "Accept": (lambda text: answer_type(text, page=True), lambda n: "a/b;q=0.1," * (n // 10)),
    "Accept with parameters": (
        lambda text: answer_type(text, page=True),
        lambda n: "a/b" + ";q=0" * (n // 4),
    ),
    "Accept-Encoding": (takes_gzip.__wrapped__, lambda n: "br;q=0," * (n // 7)),
    "X-Forwarded-For": (forwarded, lambda n: "127.0.0.1, " * (n // 11)),
    "X-Forwarded-For of brackets": (forwarded, lambda n: "[::1]:80, " * (n // 10)),
    "a global id": (parse_global_id, lambda n: "OjovOg" * (n // 6)),
    "a body: a name that is not known": (
        lambda text: decode_body(text.encode(), Body),
        lambda n: '{"' + " - at `$" * (n // 8) + '": 1}',
    ),
    "a body: escapes": (
        lambda text: decode_body(text.encode(), Body),
        lambda n: '{"text": "' + "\\ud83d\\ude00" * (n // 12) + '"}',
    ),
    "a body: nested lists": (lambda text: decode_body(text.encode(), Body), lambda n: '{"text": ' + "[" * n),
    "a body: an operation": (
        lambda text: decode_body(text.encode(), OperationPayload),
        lambda n: '{"query": "' + "{" * n + '"}',
    ),
    "the message about a mistake": (invalid, lambda n: "Expected `str` - at `$" + ".a[1" * (n // 4) + "`"),
    "the pattern of an e-mail address": (matches(EMAIL), lambda n: "a" * n + "@" * n),
    "the pattern of a handle": (matches(HANDLE), lambda n: "a-" * (n // 2)),
    "the pattern of a line": (matches(LINE), lambda n: "a" * n + "\n"),
    "the pattern of a path": (matches(PATH), lambda n: "a/" * (n // 2) + "\n"),
    "the pattern of a commit": (matches(SHA), lambda n: "0" * n),
    "the pattern of an id": (matches(UUID), lambda n: "0" * n),
    "the pattern of names": (matches(parameters._FIELDS), lambda n: "a," * (n // 2) + "!"),
    "the pattern of a stream": (matches(parameters._STREAMS), lambda n: "a-" * (n // 2) + "!"),
    "the pattern of a type": (matches(parameters._TOPIC), lambda n: "a." * (n // 2) + "!"),
    "the pattern of types": (matches(parameters._TOPICS), lambda n: "a.," * (n // 3) + "!"),
    "the pattern of ids": (matches(parameters._WORDS), lambda n: "a:," * (n // 3) + "!"),
    "the pattern of a word": (matches(parameters._WORD), lambda n: "a:" * (n // 2) + "!"),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the least processor time of several runs; a refusal is an answer like any other."""
    least = float("inf")
    for _ in range(15):
        start = time.thread_time()
        with suppress(Refusal, HttpError, ValueError):
            read(text)
        least = min(least, time.thread_time() - start)
    return least


@pytest.mark.parametrize("name", TABLE)
def test_the_time_grows_with_the_length_and_no_faster(name):
    """Other processes take the caches, which costs long texts most: what was disturbed is measured again."""
    read, text = TABLE[name]
    short = long = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        short = min(short, seconds(read, text(SMALL)))
        long = min(long, seconds(read, text(GROWTH * SMALL)))
        if long < MOST * short + NOTICED:
            return
    raise AssertionError(f"{long / short:.0f} times as long for {GROWTH} times the text")
