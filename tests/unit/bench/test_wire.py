import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.wire import AnswerReader, WireError, request

LENGTH = b'HTTP/1.1 201 Created\r\nContent-Length: 5\r\nETag: "1"\r\n\r\nhello'
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "status", "body"), [(LENGTH, 201, b"hello"), (CHUNKED, 200, b"hello world"), (EMPTY, 204, b"")]
)
def test_an_answer_in_one_piece(data, status, body):
    answer = AnswerReader().feed(data)
    assert (answer.status, answer.body, answer.ok) == (status, body, True)


@given(st.sampled_from([LENGTH, CHUNKED]), st.data())
def test_an_answer_in_any_pieces_is_the_same_answer(whole, data):
    cuts = data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=8).map(sorted))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    reader = AnswerReader()
    answers = [reader.feed(piece) for piece in pieces if piece]
    assert answers[-1] == AnswerReader().feed(whole)
    assert all(answer is None for answer in answers[:-1])


def test_one_reader_reads_answer_after_answer():
    reader = AnswerReader()
    assert [reader.feed(data).body for data in (LENGTH, CHUNKED, EMPTY, LENGTH)] == [
        b"hello",
        b"hello world",
        b"",
        b"hello",
    ]


def test_headers_are_found_in_any_case():
    answer = AnswerReader().feed(LENGTH)
    assert answer.header("etag") == '"1"'
    assert answer.header("Location") is None


@pytest.mark.parametrize("data", [b"SMTP ready\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_what_cannot_be_framed_is_refused(data):
    with pytest.raises(WireError):
        AnswerReader().feed(data)


def test_a_request_carries_its_body_and_token():
    data = request("POST", "/x", token="t", body={"a": 1}, headers={"CodePark-After": "p"})
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert b"Authorization: Bearer t" in head
    assert b"CodePark-After: p" in head
    assert b"Content-Length: 7" in head
    assert body == b'{"a":1}'
