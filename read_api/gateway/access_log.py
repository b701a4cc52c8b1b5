"""The access log: one structured line for a request, without anything that people wrote or that is secret.

A line has the method, the route's template instead of the path (a path may name a file), the status, the
milliseconds, the kind of caller, the request id and, for a command, its id: never a name, an address, a token
or a query.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from litestar.types import ASGIApp, Receive, Scope, Send

from telemetry.tracing import ids

OFF, ERRORS, ALL = "off", "errors", "all"
MODES = (OFF, ERRORS, ALL)
_FIRST_ERROR, _FIRST_FAULT = 400, 500
_FIRST_SOCKET_CODE, _FIRST_REFUSED_SOCKET = 1_000, 4_000
_LINES_A_SECOND = 100
_UNSENT = 499
"""Stands for a client that went before its answer began."""

logger = structlog.get_logger("codepark.access")


class AccessLog:
    """Log the requests to an application: all of them, or those that were refused or failed.

    At most a hundred lines a second are written; what is left out is summed up in the next second's first
    line.
    """

    def __init__(self, app: ASGIApp, mode: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Stand before *app*; *mode* is `errors` or `all`."""
        self._app = app
        self._clock = clock
        self._everything = mode == ALL
        self._second = 0
        self._lines = 0
        self._left_out: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, and log it when it has ended."""
        kind: str = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = "WEBSOCKET" if kind == "websocket" else str(scope.get("method"))
        began, status = time.perf_counter(), 0

        async def sending(message: Any) -> None:
            nonlocal status
            part = message["type"]
            if part in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif part == "websocket.close":
                status = message.get("code", 1_000)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            status = status or _UNSENT
            if self._everything or _is_error(method, status):
                self._log(scope, method, status, (time.perf_counter() - began) * 1_000)

    def _log(self, scope: Any, method: str, status: int, milliseconds: float) -> None:
        if not self._may_write(status):
            return
        state = scope.get("state") or {}
        write = logger.warning if _FIRST_FAULT <= status < _FIRST_REFUSED_SOCKET else logger.info
        write(
            "request",
            method=method,
            route=scope.get("path_template") or None,
            status=status,
            ms=round(milliseconds, 1),
            caller=_caller_kind(scope, state),
            request_id=state.get("request_id"),
            **ids(state.get("traceparent")),
            **({"command": state["command"]} if "command" in state else {}),
        )

    def _may_write(self, status: int) -> bool:
        """Count a line, and return whether it is among those that this second has room for."""
        second = int(self._clock())
        if second != self._second:
            left_out, self._left_out = self._left_out, Counter()
            self._second, self._lines = second, 0
            if left_out:
                statuses = {str(each): count for each, count in sorted(left_out.items())}
                logger.info("requests that have no line", count=left_out.total(), statuses=statuses)
        self._lines += 1
        if self._lines <= _LINES_A_SECOND:
            return True
        self._left_out[status] += 1
        return False


def _is_error(method: str, status: int) -> bool:
    if method == "WEBSOCKET":
        return status >= _FIRST_REFUSED_SOCKET or _FIRST_ERROR <= status < _FIRST_SOCKET_CODE
    return status >= _FIRST_ERROR and status != _UNSENT


def _caller_kind(scope: Any, state: dict[str, Any]) -> str:
    """Return what kind of caller it was: `bearer` has sent a token that was not read, or was refused."""
    caller = state.get("caller")
    if caller is not None:
        kind: str = caller.kind
        return kind
    return "bearer" if any(name == b"authorization" for name, _ in scope["headers"]) else "anonymous"
