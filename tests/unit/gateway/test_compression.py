"""What is compressed and for which clients, and that decompressing gives the same."""

import asyncio
import gzip

import pytest

from read_api.gateway.compression import SECRET_PATHS, compressed, compressible, takes_gzip

JSON = {b"content-type": b"application/json"}


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("GZIP;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip", True),
        ("br", False),
        ("", False),
        ("gzip;q=none", False),
    ],
)
def test_whether_a_client_takes_gzip(accepted, takes):
    assert takes_gzip(accepted) is takes


@pytest.mark.parametrize(
    ("path", "status", "headers", "may"),
    [
        ("/api/v1/projects", 200, JSON, True),
        ("/api/v1/projects", 404, {b"content-type": b"application/problem+json"}, True),
        ("/", 200, {b"content-type": b"text/html; charset=utf-8"}, True),
        ("/assets/mark.svg", 200, {b"content-type": b"image/svg+xml"}, True),
        ("/assets/a.png", 200, {b"content-type": b"image/png"}, False),
        ("/api/v1/events/stream", 200, {b"content-type": b"text/event-stream; charset=utf-8"}, False),
        ("/api/v1/auth/login", 200, JSON, False),
        ("/api/v1/me/tokens", 201, JSON, False),
        ("/api/v1/projects", 304, JSON, False),
        ("/api/v1/projects", 200, JSON | {b"content-encoding": b"br"}, False),
        ("/api/v1/projects", 204, {}, False),
    ],
)
def test_what_may_be_compressed(path, status, headers, may):
    media, encoded = headers.get(b"content-type", b""), b"content-encoding" in headers
    secret = path.startswith(SECRET_PATHS)
    assert compressible(media, status, encoded=encoded, secret=secret) is may


@pytest.mark.parametrize("unchanging", [True, False])
@pytest.mark.parametrize("size", [2_000, 500_000])
def test_it_is_the_same_afterwards(size, unchanging):
    body = bytes(number % 7 + 65 for number in range(size))
    packed = asyncio.run(compressed(body, unchanging=unchanging))
    assert gzip.decompress(packed) == body
    assert len(packed) < size / 2
    assert packed == asyncio.run(compressed(body, unchanging=unchanging)), (
        "the same bytes each time: its tag stays strong"
    )
