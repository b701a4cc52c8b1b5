"""The outermost layer: request ids, HEAD and OPTIONS on every path, and file paths as they were sent."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from litestar.types import ASGIApp, Receive, Scope, Send
from uuid_utils import uuid4

from read_api.gateway.call import Answer
from read_api.gateway.problems import BadInputError, HttpError
from read_api.gateway.routes import failed

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:/+=-]{1,128}$")
_FILE = re.compile(rb"^(/api/v1/projects/[^/]+/files/)(.+)$", re.DOTALL)
_PARAMETER = re.compile(r"\{[^}]+\}")


class Edge:
    """Give each request an id, answer HEAD wherever GET is, tell what a path allows.

    The router would fold `//` and `..`; the path of a file is therefore taken from the raw path, decoded once, and
    handed on beside the route.
    """

    def __init__(self, app: ASGIApp, allowed: dict[str, list[str]]) -> None:
        """Stand before *app*, whose paths allow these methods."""
        self._app = app
        self._exact = {path: methods for path, methods in allowed.items() if "{" not in path}
        self._patterns = [
            (re.compile("^" + _PARAMETER.sub("[^/]+", path) + "$"), methods)
            for path, methods in allowed.items()
            if "{" in path
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        respond = self._responder(scope, send, request_id)
        answer = self._answered(scope, request_id)
        if answer is not None:
            await _send(respond, answer)
            return
        await self._app(scope, receive, respond)

    def _answered(self, scope: Any, request_id: str) -> Answer | None:
        """Return the answer to what needs no route, and mend the scope for what does."""
        try:
            _take_file_path(scope)
        except BadInputError as error:
            return failed(error, scope["path"], request_id)
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
            return None
        methods = self.methods(scope["path"])
        if scope["method"] == "OPTIONS":
            if not methods:
                return failed(HttpError(404, "not_found", "there is no such path"), scope["path"], request_id)
            return Answer(status=204, headers={"Allow": ", ".join(methods)})
        if methods and scope["method"] not in methods:
            refusal = HttpError(
                405,
                "method_not_allowed",
                f"this path allows {', '.join(methods)}",
                headers={"Allow": ", ".join(methods)},
            )
            return failed(refusal, scope["path"], request_id)
        return None

    def methods(self, path: str) -> list[str]:
        """Return the methods that *path* allows; none where there is no such path."""
        path = path.rstrip("/") or "/"
        found = self._exact.get(path)
        if found is None:
            found = next((methods for pattern, methods in self._patterns if pattern.match(path)), [])
        if not found:
            return []
        extra = {"OPTIONS", "HEAD"} if "GET" in found else {"OPTIONS"}
        return sorted({*found, *extra})

    def _responder(self, scope: Any, send: Send, request_id: str) -> Send:
        head = scope["method"] == "HEAD"
        name = (b"x-request-id", request_id.encode("latin-1"))

        async def respond(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], name, (b"x-content-type-options", b"nosniff")]
            elif head and message["type"] == "http.response.body":
                message = {
                    "type": "http.response.body",
                    "body": b"",
                    "more_body": message.get("more_body", False),
                }
            await send(message)

        return respond


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.match(given):
                return str(given)
    return str(uuid4())


def _take_file_path(scope: Any) -> None:
    raw = scope.get("raw_path") or b""
    match = _FILE.match(raw.partition(b"?")[0])
    if match is None:
        return
    try:
        scope["state"]["file_path"] = unquote_to_bytes(match.group(2)).decode()
    except UnicodeDecodeError as error:
        raise BadInputError("the path is not UTF-8", "/path", code="invalid_path") from error
    scope["path"] = match.group(1).decode("ascii", "replace") + "file"
    scope["raw_path"] = scope["path"].encode()


async def _send(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", answer.media_type.encode())] if answer.body else []
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})  # type: ignore[typeddict-item] # Litestar's types want more than ASGI does
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
