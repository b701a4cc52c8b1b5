"""Send an answer with what every answer carries: its id, limits, security headers, `Vary`, and compressed."""

from functools import lru_cache
from typing import Any

from litestar.types import Send

from read_api.gateway.compression import SMALLEST, compressed, compressible, takes_gzip
from read_api.gateway.cors import Cors, header
from read_api.gateway.security import security_headers

_KEPT = (b"no-cache", b"public")


class Finish:
    """The `send` of one request."""

    __slots__ = ("_cors", "_head", "_held", "_path", "_scope", "_send", "_state")

    def __init__(self, scope: Any, send: Send, cors: Cors) -> None:
        """Send what belongs to the request of *scope*, whose method and path are as they came."""
        self._scope = scope
        self._send = send
        self._cors = cors
        self._state: dict[str, Any] = scope["state"]
        self._head = scope["method"] == "HEAD"
        self._path: str = scope["path"]
        self._held: Any = None

    async def __call__(self, message: Any) -> None:
        """Send a part of the answer; its start waits for the body where that may be compressed."""
        if message["type"] == "http.response.start":
            if self._started(message):
                self._held = message
                return
        elif self._held is not None:
            start, self._held = self._held, None
            if not message.get("more_body") and len(message.get("body", b"")) >= SMALLEST:
                message = {**message, "body": await _pack(start, message["body"])}
            await self._send(start)
        if self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _started(self, message: Any) -> bool:
        """Complete the headers; tell whether the body shall be compressed."""
        headers: list[tuple[bytes, bytes]] = list(message["headers"])
        found = dict(headers)
        state, scope = self._state, self._scope
        headers.append((b"x-request-id", state["request_id"].encode("latin-1")))
        headers += security_headers(found, secure=state["secure"])
        headers += state.get("headers", ())
        headers += self._cors.headers(scope)
        packable = compressible(self._path, message["status"], found)
        given = found.get(b"vary", b"")
        vary = _vary(given, self._path.startswith("/api/"), packable, self._cors.varies)
        if given:
            headers = [pair for pair in headers if pair[0] != b"vary"]
        if vary:
            headers.append((b"vary", vary))
        message["headers"] = headers
        return packable and takes_gzip(header(scope, b"accept-encoding") or "")


@lru_cache(maxsize=256)
def _vary(given: bytes, private: bool, packable: bool, by_origin: bool) -> bytes:
    """Return what caches must tell apart, beside what the answer says itself."""
    names = [name.strip() for name in given.decode("latin-1").split(",") if name.strip()]
    more = {"Authorization": private, "Accept-Encoding": packable, "Origin": by_origin}
    names += [name for name, holds in more.items() if holds]
    return ", ".join(dict.fromkeys(names)).encode("latin-1")


async def _pack(start: Any, body: bytes) -> bytes:
    """Return *body* compressed, and say so in the headers of its answer."""
    found = dict(start["headers"])
    packed = await compressed(body, kept=found.get(b"cache-control", b"").startswith(_KEPT))
    start["headers"] = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    start["headers"] += [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed))]
    return packed
