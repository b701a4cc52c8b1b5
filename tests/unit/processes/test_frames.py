"""Messages on a pipe come back whole, or not at all."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes.frames import LENGTH, frame, read_frame, receive_frame, write_frame


def written(bodies: list[bytes]) -> bytes:
    stream = io.BytesIO()
    for body in bodies:
        write_frame(stream, body)
    return stream.getvalue()


async def received(data: bytes) -> bytes:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await receive_frame(reader)


def test_a_length_is_four_bytes_the_highest_first():
    assert frame(b"ab") == b"\0\0\0\2ab"
    assert written([b"ab", b""]) == b"\0\0\0\2ab\0\0\0\0"


@given(st.lists(st.binary()))
def test_what_is_written_is_read_in_order(bodies):
    stream = io.BytesIO(written(bodies))
    assert [read_frame(stream) for _ in bodies] == bodies
    assert read_frame(stream) is None


@given(st.binary(min_size=1), st.data())
def test_a_message_that_is_cut_off_is_none(body, data):
    whole = frame(body)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert read_frame(io.BytesIO(cut)) is None
    with pytest.raises(EOFError):
        asyncio.run(received(cut))


@given(st.binary())
def test_a_reader_in_a_loop_gets_the_same(body):
    assert asyncio.run(received(frame(body) + b"more")) == body


def test_the_length_has_four_bytes():
    assert LENGTH.size == 4
