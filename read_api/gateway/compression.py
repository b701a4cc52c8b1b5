"""Compress answers with gzip where the client accepts it and where it saves something."""

import asyncio
import zlib
from functools import lru_cache

SMALLEST = 1_024
"""A smaller body saves about as much as the additional header costs."""
_IN_THREAD = 64 * 1024
_LEVEL = 4
_BEST_LEVEL = 9
_GZIP = 31
_TYPES = (
    b"application/json",
    b"application/problem+json",
    b"application/graphql-response+json",
    b"text/",
    b"image/svg+xml",
)
_STREAM = b"text/event-stream"
SECRET_PATHS = ("/api/v1/auth/", "/api/v1/me/tokens", "/api/v1/me/sessions")
"""Answers with secrets next to text that somebody else can choose are not compressed (BREACH)."""


@lru_cache(maxsize=256)
def compressible(media: bytes, status: int, *, encoded: bool, secret: bool) -> bool:
    """Return whether an answer of this media type and status may be compressed.

    *encoded* says that it already is. An answer with secrets may not (*secret*), nor may a stream of events.
    """
    return (
        not secret
        and media.startswith(_TYPES)
        and not media.startswith(_STREAM)
        and not encoded
        and status not in (204, 206, 304)
    )


@lru_cache(maxsize=256)
def takes_gzip(accepted: str) -> bool:
    """Return whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = _weight(weight)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


async def compressed(body: bytes, *, unchanging: bool) -> bytes:
    """Return *body* compressed; a body that stays the same (*unchanging*) once, and as small as possible."""
    if len(body) < _IN_THREAD:
        return _remembered(body) if unchanging else zlib.compress(body, _LEVEL, wbits=_GZIP)
    if unchanging:
        return await asyncio.to_thread(_remembered, body)
    return await asyncio.to_thread(zlib.compress, body, _LEVEL, wbits=_GZIP)


@lru_cache(maxsize=64)
def _remembered(body: bytes) -> bytes:
    return zlib.compress(body, _BEST_LEVEL, wbits=_GZIP)
