"""The chain: what it covers, computed independently from the headers."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import record_headers
from commands.chain import chain_after, first_chain
from commands.record_headers import headers
from domain.record import Record
from tests.support.records import a_record


def independent_chain(previous: bytes, record: Record) -> bytes:
    """Compute the chain as the reference describes it, from headers alone."""

    def framed(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    body = framed(record.home.encode()) + framed(record.data)
    for name, value in sorted(dict(headers(record)).items()):
        body += framed(name.encode()) + framed(value)
    return hashlib.sha256(b"\x02" + previous + hashlib.sha256(b"\x00" + body).digest()).digest()


@given(data=st.binary(max_size=200), actor=st.text(max_size=20), cause=st.none() | st.text(max_size=9))
def test_the_chain_covers_key_value_and_sorted_headers(data, actor, cause):
    record = a_record(data=data, actor=actor, causation=cause)
    assert chain_after(b"\x07" * 32, record) == independent_chain(b"\x07" * 32, record)


def test_headers_are_sorted_by_name():
    record = a_record(causation="x", traceparent="y", fingerprint="z")
    names = [name for name, _ in headers(record)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("home", "other"),
        ("stream", "project-2"),
        ("version", 2),
        ("topic", "project.updated"),
        ("schema", 2),
        ("data", b"{ }"),
        ("sequence", 2),
        ("at", 1),
        ("command", "d"),
        ("commit_index", 2),
        ("commit_count", 2),
        ("occurred_at", 1_700_000_000_124),
        ("actor", "b"),
        ("correlation", "d"),
        ("causation", "e"),
        ("traceparent", "t"),
        ("fingerprint", "f"),
        ("source", "urn:other"),
    ],
)
def test_every_field_is_covered(field, value):
    before = chain_after(b"\x00" * 32, a_record())
    assert chain_after(b"\x00" * 32, a_record(**{field: value})) != before


def test_headers_of_many_commands_are_right_and_few_of_them_are_cached():
    for number in range(3_000):
        record = a_record(command=f"c{number}", actor=f"a{number}")
        assert chain_after(b"\x07" * 32, record) == independent_chain(b"\x07" * 32, record)
        assert {("actor", b"a%d" % number), ("ce_id", record.id.encode())} <= set(headers(record))
    assert len(record_headers._shared) <= 1_024


def test_the_first_predecessor_depends_on_log_partition_and_count():
    values = {first_chain("a", 0, 1), first_chain("b", 0, 1), first_chain("a", 1, 2), first_chain("a", 0, 2)}
    assert len(values) == 4


def test_a_record_survives_encoding_and_decoding():
    record = a_record(chain=b"\x01" * 32)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Record) == record
