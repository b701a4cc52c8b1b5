"""The client of a connection: only a trusted proxy may name another one."""

from ipaddress import ip_network

import pytest

from read_api.gateway.clients import Clients

PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:ffff::/48")))


def seen(peer, *forwarded, proto=(), trusted=PROXIES, tls=False):
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    headers += [(b"x-forwarded-proto", value.encode()) for value in proto]
    return Clients(trusted, tls=tls).of({"client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("203.0.113.9",), "192.0.2.1"),
        ("10.0.0.1", ("203.0.113.9",), "203.0.113.9"),
        ("10.0.0.1", ("1.1.1.1, 203.0.113.9",), "203.0.113.9"),
        ("10.0.0.1", ("1.1.1.1", "203.0.113.9, 10.0.0.2"), "203.0.113.9"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.9, unknown",), "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.9:4711",), "203.0.113.9"),
        ("10.0.0.1", ("[2001:db8:1:2:3::4]:4711",), "2001:db8:1:2::/64"),
        ("10.0.0.1", ("2001:db8:1:2:3::4",), "2001:db8:1:2::/64"),
        ("2001:db8:ffff::1", ("203.0.113.9",), "203.0.113.9"),
        ("::ffff:10.0.0.1", ("::ffff:203.0.113.9",), "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", (), "2001:db8:1:2::/64"),
        ("fe80::1%eth0", (), "fe80::/64"),
        ("", ("203.0.113.9",), ""),
    ],
)
def test_the_address(peer, forwarded, address):
    assert seen(peer, *forwarded)[0] == address


@pytest.mark.parametrize(
    ("peer", "proto", "tls", "secure"),
    [
        ("10.0.0.1", ("https",), False, True),
        ("10.0.0.1", ("http",), False, False),
        ("10.0.0.1", ("http, HTTPS",), False, True),
        ("10.0.0.1", (), False, False),
        ("10.0.0.1", (), True, True),
        ("192.0.2.1", ("https",), False, False),
        ("192.0.2.1", ("http",), True, True),
    ],
)
def test_whether_it_is_encrypted(peer, proto, tls, secure):
    assert seen(peer, proto=proto, tls=tls)[1] is secure


def test_without_trusted_proxies_nobody_is_believed():
    assert seen("127.0.0.1", "203.0.113.9", proto=["https"], trusted=()) == ("127.0.0.1", False)


def test_a_server_without_a_peer_address():
    assert Clients(PROXIES).of({"client": None, "headers": []}) == ("", False)
