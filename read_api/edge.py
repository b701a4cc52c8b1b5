"""The outermost layer: client addresses, request ids, HEAD and OPTIONS, and file paths as they were sent."""

import re
import time
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import structlog
from litestar.types import ASGIApp, Receive, Scope, Send
from uuid_utils import uuid4

from read_api.gateway.answers import Answer
from read_api.gateway.clients import Clients
from read_api.gateway.cors import Cors
from read_api.gateway.hosts import Hosts, foreign_host
from read_api.gateway.http_metrics import UNMATCHED, UNSENT, HttpMetrics
from read_api.gateway.http_spans import begin_span, describe_span, recorded_trace
from read_api.gateway.limits.limits import Limits
from read_api.gateway.query_strings import check_parameters, read_query
from read_api.gateway.response_finisher import ResponseFinisher
from read_api.gateway.routes import failed
from read_api.gateway.settings import GatewaySettings
from read_api.problems import BadInputError, HttpError
from read_api.web.missing import missing_page, wants_page
from telemetry.observers import ROUTE
from telemetry.tracing import NONE, within

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_FILE = re.compile(rb"(/api/v1/projects/[^/]+/files/)(.+)", re.DOTALL)
_PARAMETER = re.compile(r"\{[^}]+\}")
_FORBIDDEN = 4403
_ANSWERS = ("websocket.accept", "websocket.close", "websocket.http.response.start")

logger = structlog.get_logger(__name__)


class _Route(NamedTuple):
    """A path with the names of its parameters, its methods, and the query parameters that it knows."""

    path: str
    methods: list[str]
    parameters: Collection[str] | None


_NO_ROUTE = _Route("", [], None)


class Edge:
    """Give each request an id, answer HEAD wherever GET is allowed, and say which methods a path allows.

    The router would fold `//` and `..`. The path of a file is therefore taken from the raw path, decoded
    once, and stored in the state of the connection.
    """

    def __init__(
        self,
        app: ASGIApp,
        allowed: dict[str, list[str]],
        settings: GatewaySettings,
        limits: Limits,
        parameters: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Stand before *app*, whose paths allow these methods; a connection that ends releases *limits*.

        *parameters* are the query parameters that a path knows; a path without an entry takes any.
        """
        self._app = app
        self._limits = limits
        self._clients = Clients(settings.trusted_proxies, tls=settings.tls)
        self._cors = Cors(settings.cors_origins)
        self._hosts = Hosts(settings.allowed_hosts)
        self._metrics = HttpMetrics()
        known = parameters or {}
        methods = {
            path: _Route(path, _with_head_and_options(listed), known.get(path))
            for path, listed in allowed.items()
        }
        self._exact = {path: listed for path, listed in methods.items() if "{" not in path}
        patterns = [path for path in methods if "{" in path]
        self._by_pattern = [methods[path] for path in patterns]
        self._pattern = re.compile("|".join(f"({_PARAMETER.sub('[^/]+', path)})" for path in patterns))

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
                await self._request(scope, receive, send)
        finally:
            await self._limits.end(state)

    async def _request(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        began, method = time.perf_counter(), scope["method"]
        span = begin_span(scope, method)
        scope["state"]["traceparent"] = span.traceparent
        finisher = ResponseFinisher(scope, send, self._cors, span)
        with within(span):
            try:
                app = self._answered(scope, scope["state"]) or self._app
                ROUTE.set(scope["state"].get("route", UNMATCHED))
                await app(scope, receive, finisher)
            finally:
                ended = finisher.live_since or time.perf_counter()
                route = scope["state"].get("route", UNMATCHED)
                describe_span(span, scope, method, finisher.status)
                status, trace = finisher.status or UNSENT, recorded_trace(span)
                self._metrics.answered(method, route, status, ended - began, trace)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a WebSocket, unless a page of a foreign origin asks for it, or one under a foreign host."""
        if not self._hosts.allow(scope):
            reason = "foreign_host"
        elif not self._cors.allows_socket(scope):
            reason = "foreign_origin"
        else:
            await self._app(scope, receive, _handshake(scope, send))
            return
        logger.warning("socket refused", reason=reason, request_id=scope["state"]["request_id"])
        await receive()
        refusal: Any = {"type": "websocket.close", "code": _FORBIDDEN, "reason": reason}
        await send(refusal)

    def _answered(self, scope: Any, state: dict[str, Any]) -> Answer | None:
        """Return the answer to a request that needs no route; correct the scope of any other."""
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        state["instance"] = raw.decode("ascii", "replace")
        if not self._hosts.allow(scope):
            return failed(foreign_host(), state["instance"], state["request_id"])
        file = _FILE.fullmatch(raw)
        if file is not None:
            try:
                _take_file_path(scope, state, file)
            except BadInputError as error:
                return failed(error, state["instance"], state["request_id"])
        route, method = self._route(scope["path"]), scope["method"]
        if route is not None:
            state["route"] = route.path
        _, methods, known = route or _NO_ROUTE
        if method == "OPTIONS" and methods:
            return self._options(scope, state, methods, known)
        if not methods and wants_page(scope):
            return missing_page()
        if method not in methods:
            return failed(_not_routed(methods), state["instance"], state["request_id"])
        if method == "HEAD":
            state["head"] = True
            scope["method"] = "GET"
        return None

    def _options(
        self, scope: Any, state: dict[str, Any], methods: list[str], known: Collection[str] | None
    ) -> Answer:
        """Answer which methods a path allows.

        A preflight does not say why it is refused, so that the request itself meets an unknown parameter.
        """
        preflight = self._cors.preflight(scope, methods)
        if known is not None and not preflight:
            try:
                check_parameters(read_query(scope["query_string"]), known)
            except HttpError as error:
                return failed(error, state["instance"], state["request_id"])
        return Answer(status=204, headers={"Allow": ", ".join(methods)} | preflight)

    def _route(self, path: str) -> "_Route | None":
        """Return the route of *path*, None where there is no such path."""
        path = path.rstrip("/") or "/"
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        match = self._pattern.fullmatch(path)
        return None if match is None or match.lastindex is None else self._by_pattern[match.lastindex - 1]


def _handshake(scope: Any, send: Send) -> Send:
    """Return *send* with a span from now until the WebSocket is open or refused."""
    span = begin_span(scope, "GET")
    if span is NONE:
        return send

    async def sending(message: Any) -> None:
        await send(message)
        if message["type"] in _ANSWERS:
            status = 101 if message["type"] == "websocket.accept" else 403
            describe_span(span, scope, "GET", message.get("status", status))
            span.end()

    return sending


def _not_routed(methods: list[str]) -> HttpError:
    if not methods:
        return HttpError(404, "not_found", "there is no such path")
    allow = ", ".join(methods)
    return HttpError(405, "method_not_allowed", f"this path allows {allow}", headers={"Allow": allow})


def _with_head_and_options(methods: list[str]) -> list[str]:
    return sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return str(given)
    return str(uuid4())


def _take_file_path(scope: Any, state: dict[str, Any], file: re.Match[bytes]) -> None:
    """Store the decoded path of a file, and replace it in the scope by one segment that the router keeps."""
    try:
        state["file_path"] = unquote_to_bytes(file.group(2)).decode()
        scope["path"] = unquote_to_bytes(file.group(1)).decode() + "file"
    except UnicodeDecodeError as error:
        raise BadInputError("the path is not UTF-8", "/path", code="invalid_path") from error
    scope["raw_path"] = file.group(1) + b"file"
