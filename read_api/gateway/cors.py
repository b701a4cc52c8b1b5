"""Which pages of other origins may use the interface: those of the settings, by default none.

Tokens are sent in a header that browsers never add by themselves, so credentials are never allowed.
"""

from typing import Any
from urllib.parse import urlsplit

from read_api.gateway.settings import ANY_ORIGIN

Headers = list[tuple[bytes, bytes]]

_EXPOSED = (
    "CodePark-Command, CodePark-Position, Deprecation, ETag, Idempotency-Replayed, Link, Location, "
    "RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Request-Id"
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
    """Answer the questions of browsers about other origins."""

    def __init__(self, origins: frozenset[str]) -> None:
        """Allow pages of *origins* (`*`: of any)."""
        self._origins = origins
        self._any = ANY_ORIGIN in origins
        self.enabled = bool(origins)
        self.varies = bool(origins) and not self._any

    def allows(self, origin: str) -> bool:
        """Return whether pages of *origin* may read answers."""
        return self._any or origin.lower() in self._origins

    def headers(self, scope: Any) -> Headers:
        """Return the headers that let the requesting page read the answer."""
        if self._any:  # for every page, because a cache may serve the answer to another one
            return [(_ALLOWED, b"*"), _EXPOSES]
        origin = header(scope, b"origin") if self._origins else None
        if origin is None or not self.allows(origin):
            return []
        return [(_ALLOWED, origin.encode("latin-1")), _EXPOSES]

    def preflight(self, scope: Any, methods: list[str]) -> dict[str, str]:
        """Return the headers that allow the request that a browser asks about; none to refuse it."""
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
        """Return whether a WebSocket may be opened: for these, browsers send no preflight request.

        A client that sends no Origin is not a browser.
        """
        origin = header(scope, b"origin")
        return origin is None or self.allows(origin) or _is_own(origin, header(scope, b"host") or "")


def header(scope: Any, name: bytes) -> str | None:
    """Return the first header of that name, None where it is missing."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _is_own(origin: str, host: str) -> bool:
    """Return whether *origin* is the requested host; a proxy must forward its name."""
    try:
        other, own = urlsplit(origin), urlsplit(f"//{host}")
        ports = other.port, own.port
    except ValueError:
        return False
    default = _PORTS.get(other.scheme)
    return other.hostname == own.hostname and (ports[0] or default) == (ports[1] or default)
