"""Compress answers with gzip where the client takes it, and where it saves something."""

import asyncio
import zlib
from functools import lru_cache

SMALLEST = 1_024
"""Below, a header more costs about what is saved."""
_IN_THREAD = 64 * 1024
_LEVEL = 4
_KEPT_LEVEL = 9
_GZIP = 31
_TYPES = (
    b"application/json",
    b"application/problem+json",
    b"application/graphql-response+json",
    b"text/",
    b"image/svg+xml",
)
_STREAM = b"text/event-stream"
_SECRET_PATHS = ("/api/v1/auth/", "/api/v1/me/tokens", "/api/v1/me/sessions")


def compressible(path: str, status: int, found: dict[bytes, bytes]) -> bool:
    """Tell whether an answer with the headers *found* may be compressed.

    Never what carries secrets beside text that somebody else may choose (BREACH), and no stream of events.
    """
    media = found.get(b"content-type", b"")
    return (
        media.startswith(_TYPES)
        and not media.startswith(_STREAM)
        and b"content-encoding" not in found
        and status not in (204, 206, 304)
        and not path.startswith(_SECRET_PATHS)
    )


@lru_cache(maxsize=256)
def takes_gzip(accepted: str) -> bool:
    """Tell whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = _weight(weight)
    found = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return found > 0 and found >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


async def compressed(body: bytes, *, kept: bool) -> bytes:
    """Return *body* compressed; of a file that stays the same (*kept*), once and as small as can be."""
    if len(body) < _IN_THREAD:
        return _once(body) if kept else zlib.compress(body, _LEVEL, wbits=_GZIP)
    if kept:
        return await asyncio.to_thread(_once, body)
    return await asyncio.to_thread(zlib.compress, body, _LEVEL, wbits=_GZIP)


@lru_cache(maxsize=64)
def _once(body: bytes) -> bytes:
    return zlib.compress(body, _KEPT_LEVEL, wbits=_GZIP)
