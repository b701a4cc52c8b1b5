"""Whose pages may read answers and open sockets."""

import pytest

from read_api.gateway.cors import Cors

APP = "https://app.example.org"


def scope(**headers):
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


def test_by_default_nobody_elses():
    cors = Cors(frozenset())
    assert cors.headers(scope(origin=APP)) == []
    assert cors.preflight(scope(origin=APP, access_control_request_method="PUT"), ["PUT"]) == {}
    assert not cors.varies


def test_an_origin_of_the_settings():
    cors = Cors(frozenset({APP}))
    assert dict(cors.headers(scope(origin=APP)))[b"access-control-allow-origin"] == APP.encode()
    assert cors.headers(scope(origin="https://evil.example.org")) == []
    assert cors.headers(scope()) == []
    assert cors.varies


def test_any_origin_gets_no_credentials():
    headers = dict(Cors(frozenset({"*"})).headers(scope(origin="https://x.example")))
    assert headers[b"access-control-allow-origin"] == b"*"
    assert b"access-control-allow-credentials" not in headers


def test_a_preflight_tells_the_methods_of_the_path():
    request = scope(origin=APP, access_control_request_method="PUT")
    headers = Cors(frozenset({APP})).preflight(request, ["GET", "PUT"])
    assert headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert "If-Match" in headers["Access-Control-Allow-Headers"]
    assert Cors(frozenset({APP})).preflight(scope(origin=APP), ["GET"]) == {}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"host": "api.example.org"}, True),
        ({"host": "api.example.org", "origin": "https://api.example.org"}, True),
        ({"host": "api.example.org:443", "origin": "https://api.example.org"}, True),
        ({"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:3000"}, True),
        ({"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:3001"}, False),
        ({"host": "api.example.org", "origin": "https://evil.example.org"}, False),
        ({"host": "api.example.org", "origin": APP}, True),
        ({"host": "api.example.org", "origin": "null"}, False),
        ({"host": "api.example.org", "origin": "https://api.example.org:none"}, False),
        ({"origin": "https://api.example.org"}, False),
    ],
)
def test_sockets(headers, allowed):
    assert Cors(frozenset({APP})).allows_socket(scope(**headers)) is allowed
