"""Under which host names the server answers: a page that binds its own name to this address has another."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from read_api.problems import HttpError

ANY_HOST = "*"
_HEALTH = ("/health/live", "/health/ready")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")


class Hosts:
    """Refuse requests for a foreign host, which is how DNS rebinding reaches a server behind a browser.

    A probe may ask for the health of the server under any name, such as its address.
    """

    def __init__(self, allowed: frozenset[str] | None) -> None:
        """Allow requests for these hosts, without ports and in lower case; None allows every host."""
        self._allowed = allowed

    def allow(self, scope: Any) -> bool:
        """Return whether the server answers the request. A client without a Host header is no browser."""
        if self._allowed is None or scope["path"] in _HEALTH:
            return True
        names = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
        return all(host_of(name) in self._allowed for name in names)


@lru_cache(maxsize=256)
def host_of(text: str) -> str | None:
    """Return the host in `host:port`, in the form in which hosts are compared; None for no such text."""
    match = _HOST.fullmatch(text.strip())
    return None if match is None else compared(match["name"])


def compared(name: str) -> str:
    """Return a host name or an address in the one form in which hosts are compared."""
    bare = name.strip("[]").lower().removesuffix(".")
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def allowed_hosts(listens_on: str, names: Iterable[str], public_host: str | None) -> frozenset[str] | None:
    """Return the hosts of a server that *listens_on* an address: *names* and its *public_host*.

    A server of one machine always has the names of that machine. Other servers accept every host unless
    *names* are given, and so does `*`.
    """
    given = frozenset(compared(name) for name in names)
    own = compared(listens_on)
    local = _is_loopback(own)
    if ANY_HOST in given or not (given or local):
        return None
    public = set() if public_host is None else {compared(public_host)}
    return frozenset({*given, *LOOPBACK, *public, *([own] if local else [])})


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def foreign_host() -> HttpError:
    """Return the refusal of a request for a host that is not this server's (RFC 9110, section 15.5.20)."""
    return HttpError(
        421,
        "foreign_host",
        "this server has another name: use the address that it printed at its start, or add this host to "
        "CODEPARK_ALLOWED_HOSTS",
    )
