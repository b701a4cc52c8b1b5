"""A record as a Kafka message: what the chain covers in general, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.kafka.protocol.message import MalformedError, Message, covered_bytes, split_chain, to_record
from commands.record_headers import chain_bytes
from commands.record_headers import headers as headers_of
from tests.unit.commands.test_chain import a_record

CHAIN = b"\x07" * 32
NAMES = st.text(max_size=8) | st.text(min_size=250, max_size=270)
VALUES = st.binary(max_size=8) | st.binary(min_size=250, max_size=270)


def framed(data):
    return len(data).to_bytes(4, "big") + data


@given(key=st.none() | VALUES, value=st.none() | VALUES, rest=st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_the_chain_covers_key_value_and_headers_each_after_its_length(key, value, rest):
    body = framed(key or b"") + framed(value or b"")
    body += b"".join(framed(name.encode()) + framed(data) for name, data in rest)
    assert covered_bytes(key, value, rest) == body


def test_cached_lengths_and_names_and_uncached_ones_give_the_same_bytes():
    for number in range(3_000):
        name, data = f"x-{number}", bytes(number)
        expected = framed(b"") + framed(b"") + framed(name.encode()) + framed(data)
        assert covered_bytes(None, None, [(name, data)]) == expected


@pytest.mark.parametrize("texts", [None, "", "given"])
def test_a_record_survives_the_way_into_a_message_and_back(texts):
    record = a_record(
        causation=texts,
        traceparent=texts,
        fingerprint=texts,
        operated_by=texts,
        commit_index=2,
        commit_count=3,
        schema=7,
    )
    headers = headers_of(record)
    for order in ([*headers, ("chain", CHAIN)], [("chain", CHAIN), *reversed(headers)]):
        message = Message(5, record.home.encode(), record.data, order)
        parts = split_chain(message)
        assert parts.chain == CHAIN
        assert parts.covered == covered_bytes(message.key, message.value, headers) == chain_bytes(record)
        assert to_record(message, parts.chain, parts.values) == replace(record, chain=CHAIN)


@given(
    names=st.lists(st.sampled_from(["at", "chain", "stream", "version", "x"]), max_size=6),
    values=st.lists(
        st.none() | st.just(CHAIN) | VALUES | st.binary(min_size=1_020, max_size=1_030),
        min_size=6,
        max_size=6,
    ),
)
def test_any_message_is_split_as_the_reference_says(names, values):
    headers = list(zip(names, values, strict=False))
    chains = [value for name, value in headers if name == "chain"]
    whole = len(chains) == 1 and chains[0] is not None and len(chains[0]) == 32
    expected = whole and all(value is not None for _, value in headers)
    for order in (headers, sorted(headers, key=lambda header: (header[0] == "chain", header[0]))):
        parts = split_chain(Message(0, b"k", None, order))
        assert (parts is not None) == expected
        if parts is not None:
            rest = sorted(header for header in headers if header[0] != "chain")
            assert (parts.chain, parts.covered) == (chains[0], covered_bytes(b"k", None, rest))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("a", b"")],
        [("chain", b"short")],
        [("chain", CHAIN)] * 2,
        [("chain", CHAIN), ("a", None)],
        [("chain", CHAIN), ("a", None), ("a", b"")],
        [("chain", CHAIN), ("chain", None)],
        [("chain", None)],
    ],
)
def test_a_message_without_exactly_one_chain_value_has_none(headers):
    assert split_chain(Message(0, None, None, headers)) is None


@pytest.mark.parametrize(
    ("name", "value"), [("commit", b"1"), ("ce_dataschema", b"project.created"), ("version", b"x")]
)
def test_an_unreadable_header_makes_a_message_malformed(name, value):
    headers = headers_of(a_record())
    with pytest.raises(MalformedError):
        to_record(Message(0, b"h", b"{}", ()), CHAIN, dict(headers, **{name: value}))
