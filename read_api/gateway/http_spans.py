"""The span of a request: its route, its status, and who sent it about which project, as ids."""

import re
from typing import Any

from read_api.gateway.http_metrics import METHODS
from telemetry import tracing
from telemetry.tracing import TRACEPARENT, Kind, Span

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OTHER = "_OTHER"
_FIRST_FAULT = 500


def begin_span(scope: Any, method: str) -> Span:
    """Begin the span of a request, as a child of the context that its `traceparent` names."""
    if not tracing.enabled():
        return tracing.NONE
    return tracing.begin(_known(method), Kind.SERVER, parent=_incoming(scope["headers"]))


def describe_span(span: Span, scope: Any, method: str, status: int) -> None:
    """Note what became of a request; *status* is 0 where its client went before its answer began.

    A path, a query and an address may say who does what, so that the route's template stands for them.
    """
    if not span.recorded:
        return
    state: dict[str, Any] = scope["state"]
    known, route = _known(method), state.get("route") or scope.get("path_template")
    attributes: dict[str, str | int] = {"http.request.method": known}
    if route:
        span.rename(f"{'HTTP' if known == _OTHER else known} {route}")
        attributes["http.route"] = route
    if status:
        attributes["http.response.status_code"] = status
    action, caller = state.get("action"), state.get("caller")
    if action is not None:
        attributes["codepark.action"] = action
    account = None if caller is None else caller.known_account
    if account is not None:
        attributes["codepark.account.id"] = account
    project = (scope.get("path_params") or {}).get("project_id")
    if isinstance(project, str) and _ID.fullmatch(project):
        attributes["codepark.project.id"] = project
    span.annotate(attributes)
    if status >= _FIRST_FAULT:
        span.fail(str(status))


def recorded_trace(span: Span) -> str | None:
    """Return the id of the trace that *span* is recorded in, None where it is not."""
    if not span.recorded or span.traceparent is None:
        return None
    return span.traceparent.split("-")[1]


def _known(method: str) -> str:
    return method if method in METHODS else _OTHER


def _incoming(headers: Any) -> str | None:
    """Return the context of a request, None where it has none or not exactly one."""
    given = [value for name, value in headers if name == b"traceparent"]
    text = given[0].decode("latin-1") if len(given) == 1 else ""
    return text if TRACEPARENT.fullmatch(text) else None
