"""Which pages of other origins may use the interface: those of the settings, by default none.

Tokens travel in a header that no browser adds by itself, so credentials are never asked for.
"""

from typing import Any
from urllib.parse import urlsplit

from read_api.gateway.settings import ANY_ORIGIN

Headers = list[tuple[bytes, bytes]]

_EXPOSED = (
    "CodePark-Command, CodePark-Position, Deprecation, ETag, Idempotency-Replayed, Link, Location, RateLimit, "
    "RateLimit-Policy, Retry-After, Sunset, X-Request-Id"
)
_REQUESTED = (
    "Authorization, CodePark-After, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    "traceparent, X-Request-Id"
)
_ALLOWED = b"access-control-allow-origin"
_EXPOSES = (b"access-control-expose-headers", _EXPOSED.encode())
_PREFLIGHT_SECONDS = 600
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Cors:
    """Answer what browsers ask about other origins."""

    def __init__(self, origins: frozenset[str]) -> None:
        """Let pages of *origins* in (`*`: of any)."""
        self._origins = origins
        self._any = ANY_ORIGIN in origins
        self.varies = bool(origins) and not self._any

    def allows(self, origin: str) -> bool:
        """Tell whether pages of *origin* may read answers."""
        return self._any or origin.lower() in self._origins

    def headers(self, scope: Any) -> Headers:
        """Return what lets the page that asks read the answer."""
        if self._any:  # to everybody, for a cache may keep it for another
            return [(_ALLOWED, b"*"), _EXPOSES]
        origin = header(scope, b"origin") if self._origins else None
        if origin is None or not self.allows(origin):
            return []
        return [(_ALLOWED, origin.encode("latin-1")), _EXPOSES]

    def preflight(self, scope: Any, methods: list[str]) -> dict[str, str]:
        """Return the answer's headers to the question whether a request may be sent; none where it may not."""
        origin = header(scope, b"origin")
        if (
            origin is None
            or header(scope, b"access-control-request-method") is None
            or not self.allows(origin)
        ):
            return {}
        return {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _REQUESTED,
            "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
        }

    def allows_socket(self, scope: Any) -> bool:
        """Tell whether a WebSocket may be opened: browsers do not ask before, so we look at who comes.

        Who sends no Origin is no browser.
        """
        origin = header(scope, b"origin")
        return origin is None or self.allows(origin) or _is_own(origin, header(scope, b"host") or "")


def header(scope: Any, name: bytes) -> str | None:
    """Return a header of a request, None where it is missing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _is_own(origin: str, host: str) -> bool:
    """Tell whether *origin* is the host that was asked; a proxy must hand its name on."""
    try:
        found, own = urlsplit(origin), urlsplit(f"//{host}")
        ports = found.port, own.port
    except ValueError:
        return False
    usual = _PORTS.get(found.scheme)
    return found.hostname == own.hostname and (ports[0] or usual) == (ports[1] or usual)
