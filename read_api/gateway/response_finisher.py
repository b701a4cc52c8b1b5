"""Complete an answer: its id, limits, security headers and `Vary`; and compress it."""

import time
from functools import lru_cache
from typing import Any

from litestar.types import Send

from read_api.gateway.compression import SECRET_PATHS, SMALLEST, compressed, compressible, takes_gzip
from read_api.gateway.cors import Cors
from read_api.gateway.http_spans import describe_span
from read_api.gateway.security import CSP, REFERRER, SECURITY_HEADERS
from telemetry.tracing import NONE, Span

_LIVE = b"text/event-stream"
_STORABLE = (b"no-cache", b"public")


class ResponseFinisher:
    """The `send` of one request.

    *status* is that of the answer, 0 before it has begun; *live_since* is when a live stream began, by
    `time.perf_counter`, 0 for any other answer.
    """

    __slots__ = (
        "_cors",
        "_head",
        "_path",
        "_scope",
        "_send",
        "_span",
        "_start",
        "_state",
        "live_since",
        "status",
    )

    def __init__(self, scope: Any, send: Send, cors: Cors, span: Span = NONE) -> None:
        """Send the answer to the request of *scope*, whose method and path are still as they arrived.

        *span* ends early where the answer is a live stream: with its first byte.
        """
        self._scope = scope
        self._send = send
        self._span = span
        self._cors = cors
        self._state: dict[str, Any] = scope["state"]
        self._head = scope["method"] == "HEAD"
        self._path: str = scope["path"]
        self._start: Any = None
        self.status = 0
        self.live_since = 0.0

    async def __call__(self, message: Any) -> None:
        """Send a part of the answer; its start waits for the body where that may be compressed."""
        if message["type"] == "http.response.start":
            if self._complete_headers(message):
                self._start = message
                return
        elif self._start is not None:
            start, self._start = self._start, None
            if not message.get("more_body") and len(message.get("body", b"")) >= SMALLEST:
                message = {**message, "body": await _compress(start, message["body"])}
            await self._send(start)
        if self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _complete_headers(self, start: Any) -> bool:
        """Complete the headers; return whether the body is to be compressed."""
        headers: list[tuple[bytes, bytes]] = list(start["headers"])
        given = dict(headers)
        state, cors = self._state, self._cors
        headers.append((b"x-request-id", state["request_id"].encode("latin-1")))
        headers += SECURITY_HEADERS[state["secure"], CSP in given, REFERRER in given]
        headers += state.get("headers", ())
        if cors.enabled:
            headers += cors.headers(self._scope)
        self.status, content_type = start["status"], given.get(b"content-type", b"")
        if content_type.startswith(_LIVE):
            self.live_since = time.perf_counter()
            describe_span(self._span, self._scope, self._scope["method"], self.status)
            self._span.end()
        may_compress = compressible(
            content_type,
            self.status,
            encoded=b"content-encoding" in given,
            secret=self._path.startswith(SECRET_PATHS),
        )
        given_vary = given.get(b"vary", b"")
        vary = _vary(given_vary, self._path.startswith("/api/"), may_compress, cors.varies)
        if given_vary:
            headers = [pair for pair in headers if pair[0] != b"vary"]
        if vary:
            headers.append((b"vary", vary))
        start["headers"] = headers
        return may_compress and self._takes_gzip()

    def _takes_gzip(self) -> bool:
        for name, value in self._scope["headers"]:
            if name == b"accept-encoding":
                return takes_gzip(value.decode("latin-1"))
        return False


@lru_cache(maxsize=256)
def _vary(given: bytes, private: bool, compressible_: bool, by_origin: bool) -> bytes:
    """Return the request headers that caches must distinguish, with those that the answer names itself."""
    names = [name.strip() for name in given.decode("latin-1").split(",") if name.strip()]
    more = {"Authorization": private, "Accept-Encoding": compressible_, "Origin": by_origin}
    names += [name for name, applies in more.items() if applies]
    return ", ".join(dict.fromkeys(names)).encode("latin-1")


async def _compress(start: Any, body: bytes) -> bytes:
    """Return *body* compressed, and declare it in the headers of *start*."""
    storable = dict(start["headers"]).get(b"cache-control", b"").startswith(_STORABLE)
    packed = await compressed(body, unchanging=storable)
    start["headers"] = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    start["headers"] += [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed))]
    return packed
