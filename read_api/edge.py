"""The outermost layer: who asks, request ids, HEAD and OPTIONS on every path, and file paths as they were sent."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from litestar.types import ASGIApp, Receive, Scope, Send
from uuid_utils import uuid4

from read_api.gateway.asgi_response import Sent
from read_api.gateway.call import Answer
from read_api.gateway.clients import Clients
from read_api.gateway.cors import Cors
from read_api.gateway.limits.limits import Limits
from read_api.gateway.problems import BadInputError, HttpError
from read_api.gateway.response_finisher import Finish
from read_api.gateway.routes import failed
from read_api.gateway.settings import GatewaySettings

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_FILE = re.compile(rb"(/api/v1/projects/[^/]+/files/)(.+)", re.DOTALL)
_PARAMETER = re.compile(r"\{[^}]+\}")
_FORBIDDEN = 4403

logger = structlog.get_logger(__name__)


class Edge:
    """Give each request an id, answer HEAD wherever GET is, tell what a path allows.

    The router would fold `//` and `..`; the path of a file is therefore taken from the raw path, decoded once, and
    handed on beside the route.
    """

    def __init__(
        self, app: ASGIApp, allowed: dict[str, list[str]], settings: GatewaySettings, limits: Limits
    ) -> None:
        """Stand before *app*, whose paths allow these methods; what a connection held of *limits* ends with it."""
        self._app = app
        self._limits = limits
        self._clients = Clients(settings.trusted_proxies, tls=settings.tls)
        self._cors = Cors(settings.cors_origins)
        methods = {path: _with_ours(found) for path, found in allowed.items()}
        self._exact = {path: found for path, found in methods.items() if "{" not in path}
        self._patterns = [
            (re.compile(_PARAMETER.sub("[^/]+", path)), found)
            for path, found in methods.items()
            if "{" in path
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind: str = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)
        state["address"], state["secure"] = self._clients.of(scope)
        try:
            if kind == "websocket":
                await self._socket(scope, receive, send)
            else:
                await self._request(scope, receive, Finish(scope, send, self._cors))
        finally:
            await self._limits.end(state)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a WebSocket, unless a page of a foreign origin wants it."""
        if self._cors.allows_socket(scope):
            await self._app(scope, receive, send)
            return
        logger.warning("socket of a foreign origin refused", request_id=scope["state"]["request_id"])
        await receive()
        refusal: Any = {"type": "websocket.close", "code": _FORBIDDEN, "reason": "foreign_origin"}
        await send(refusal)

    async def _request(self, scope: Scope, receive: Receive, respond: Send) -> None:
        answer = self._answered(scope, scope["state"])
        app = self._app if answer is None else Sent(answer)
        await app(scope, receive, respond)

    def _answered(self, scope: Any, state: dict[str, Any]) -> Answer | None:
        """Return the answer to what needs no route, and mend the scope for what does."""
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        state["instance"] = raw.decode("ascii", "replace")
        try:
            _take_file_path(scope, state, raw)
        except BadInputError as error:
            return failed(error, state["instance"], state["request_id"])
        methods, method = self.methods(scope["path"]), scope["method"]
        if not methods:
            refusal = HttpError(404, "not_found", "there is no such path")
            return failed(refusal, state["instance"], state["request_id"])
        allow = {"Allow": ", ".join(methods)}
        if method not in methods:
            refusal = HttpError(
                405, "method_not_allowed", f"this path allows {allow['Allow']}", headers=allow
            )
            return failed(refusal, state["instance"], state["request_id"])
        if method == "OPTIONS":
            return Answer(status=204, headers=allow | self._cors.preflight(scope, methods))
        if method == "HEAD":
            state["head"] = True
            scope["method"] = "GET"
        return None

    def methods(self, path: str) -> list[str]:
        """Return the methods that *path* allows; none where there is no such path."""
        path = path.rstrip("/") or "/"
        found = self._exact.get(path)
        if found is None:
            found = next((methods for pattern, methods in self._patterns if pattern.fullmatch(path)), [])
        return found


def _with_ours(methods: list[str]) -> list[str]:
    return sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return str(given)
    return str(uuid4())


def _take_file_path(scope: Any, state: dict[str, Any], raw: bytes) -> None:
    match = _FILE.fullmatch(raw)
    if match is None:
        return
    try:
        state["file_path"] = unquote_to_bytes(match.group(2)).decode()
        scope["path"] = unquote_to_bytes(match.group(1)).decode() + "file"
    except UnicodeDecodeError as error:
        raise BadInputError("the path is not UTF-8", "/path", code="invalid_path") from error
    scope["raw_path"] = match.group(1) + b"file"
