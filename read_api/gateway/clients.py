"""The client of a connection: its peer, or the client that a trusted proxy names in X-Forwarded-*."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from read_api.gateway.settings import Network

Address = IPv4Address | IPv6Address
_HOST_BITS = 64


class Clients:
    """Find the client of a connection; the headers of a peer that is not a trusted proxy are ignored."""

    def __init__(self, trusted: tuple[Network, ...], *, tls: bool = False) -> None:
        """Believe the headers of peers in *trusted*; with *tls*, this server itself speaks TLS."""
        self._trusted = trusted
        self._tls = tls

    def of(self, scope: Any) -> tuple[str, bool]:
        """Return the address that limits count for, and whether the client's connection is encrypted."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if not self._trusted or not self._is_trusted(peer):
            return grouped(peer), self._tls
        forwarded = _listed(scope, b"x-forwarded-for")
        schemes = _listed(scope, b"x-forwarded-proto")
        secure = schemes[-1].lower() == "https" if schemes else self._tls
        return grouped(self._first_untrusted(peer, forwarded)), secure

    def _first_untrusted(self, peer: str, forwarded: list[str]) -> str:
        """Return the right-most address that is not a trusted proxy's; each proxy appends its peer's."""
        nearest = peer
        for entry in reversed(forwarded):
            host = _host(entry)
            if _parsed(host) is None:  # no trusted proxy writes this: ignore what is to the left
                return nearest
            nearest = host
            if not self._is_trusted(host):
                return nearest
        return nearest

    def _is_trusted(self, host: str) -> bool:
        address = _parsed(host)
        return address is not None and any(
            address in network for network in self._trusted if network.version == address.version
        )


@lru_cache(maxsize=4_096)
def grouped(host: str) -> str:
    """Return *host*, or the network of 64 bits of an IPv6 address: one customer has all of its addresses."""
    address = _parsed(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address) >> _HOST_BITS << _HOST_BITS, _HOST_BITS)))
    return host if address is None else str(address)


@lru_cache(maxsize=4_096)
def _parsed(host: str) -> Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (getattr(address, "ipv4_mapped", None) or address) if address.version == 6 else address  # noqa: PLR2004


def _host(entry: str) -> str:
    """Return the host of an entry such as `[::1]:80` or `192.0.2.1:80`."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def _listed(scope: Any, name: bytes) -> list[str]:
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
