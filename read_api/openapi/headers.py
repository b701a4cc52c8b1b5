"""The headers of answers, and what each of them says."""

from http import HTTPStatus
from typing import Any

from read_api.gateway.limits.tiers import limit_of
from read_api.gateway.operation import Operation

Header = dict[str, Any]


def _header(description: str, **schema: Any) -> Header:
    return {"description": description, "schema": {"type": "string", **schema}}


HEADERS: dict[str, Header] = {
    "ETag": _header("The version, for `If-Match` and `If-None-Match`", pattern=r'^"[0-9]+(-[0-9a-f]{16})?"$'),
    "CodePark-Position": _header(
        "The position up to which this answer includes the history", pattern="^[A-Za-z0-9_-]+$"
    ),
    "CodePark-Command": _header("The id of the command", pattern="^[0-9a-f-]{36}$"),
    "Idempotency-Replayed": _header("This is the outcome of the first request", enum=["true"]),
    "Location": _header("The path of the new resource"),
    "Link": _header("Leads to the next page (RFC 8288)"),
    "Retry-After": _header("After how many seconds to try again", pattern="^[0-9]+$"),
    "RateLimit": _header(
        "How many requests are left (`r`), and in how many seconds all of them are allowed again (`t`)",
        pattern='^"[a-z-]+";r=[0-9]+(;t=[0-9]+)?$',
    ),
    "RateLimit-Policy": _header(
        "How many requests (`q`) are allowed in how many seconds (`w`)",
        pattern='^"[a-z-]+";q=[0-9]+(;w=[0-9]+|;qu="concurrent-requests")$',
    ),
    "Deprecation": _header("Since when this should no longer be used (RFC 9745)", pattern="^@[0-9]+$"),
    "Sunset": _header("When this will be removed (RFC 8594)"),
    "WWW-Authenticate": _header("How to authenticate"),
    "X-Request-Id": _header("The id of this request: yours, if you sent one"),
}

_OF_REFUSALS = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def success_headers(operation: Operation) -> dict[str, Header]:
    """Return the headers of an answer of success."""
    names = _always(operation)
    if operation.conditional:
        names.append("ETag")
    if operation.command:
        names += ["ETag", "CodePark-Position", "CodePark-Command", "Idempotency-Replayed"]
    if HTTPStatus.CREATED in (operation.status, *operation.also):
        names.append("Location")
    if operation.query is not None and "cursor" in operation.query.__struct_fields__:
        has_fields = "fields" in operation.query.__struct_fields__
        names.append("Link" if has_fields else "CodePark-Position")
    return {name: HEADERS[name] for name in names}


def refusal_headers(operation: Operation, status: int) -> dict[str, Header]:
    """Return the headers of a refusal with *status*."""
    return {name: HEADERS[name] for name in (*_OF_REFUSALS.get(status, ()), *_always(operation))}


def _always(operation: Operation) -> list[str]:
    """Return the headers that every answer has."""
    names = ["X-Request-Id"]
    if limit_of(operation.path) is not None:
        names += ["RateLimit", "RateLimit-Policy"]
    if operation.deprecated is not None:
        names.append("Deprecation")
    if operation.sunset is not None:
        names.append("Sunset")
    return names
