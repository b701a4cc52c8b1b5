"""The answers of an operation: what it answers when it is carried out, and why it may be refused."""

from http import HTTPStatus
from typing import Any

from read_api.gateway.bodies import JSON
from read_api.gateway.limits.tiers import limit_of
from read_api.gateway.operation import Operation
from read_api.openapi.headers import HEADERS, refusal_headers, success_headers
from read_api.openapi.links import links_of
from read_api.problems import MEDIA_TYPE, Problem

Schema = dict[str, Any]

_DESCRIPTIONS = {
    200: "Success",
    201: "Created",
    202: "Accepted, but not complete yet",
    204: "Success, without a body",
    304: "Not modified since the state that you have",
    400: "The input does not have the form that this document describes",
    401: "Not signed in, or the access token is not valid",
    403: "You may see it, but may not do this to it",
    404: "It does not exist, or you may not see it",
    408: "The body did not arrive in time",
    409: "The state does not allow it, or the same request is still being carried out",
    412: "This is not the current version: load it again",
    413: "Too large",
    415: "Unsupported media type",
    421: "The server does not answer for this host",
    422: "The idempotency key was used with another body before",
    429: "Too many requests, or too many attempts: try again after `Retry-After` seconds",
    503: "Unavailable: try again after `Retry-After` seconds",
}


def _status(text: str) -> Schema:
    status = {"type": "string", "enum": [text], "description": "The state of the server."}
    return {"type": "object", "properties": {"status": status}, "required": ["status"]}


_KEYS = {
    "type": "array",
    "description": "The keys, as RFC 7517 describes them.",
    "items": {"type": "object", "additionalProperties": True},
}
_WITHOUT_STRUCT: dict[str, Schema] = {
    "jwks": {"type": "object", "properties": {"keys": _KEYS}, "required": ["keys"]},
    "live": _status("live"),
    "ready": _status("ready"),
}
"""The answers that no struct describes, by their operations."""


def responses(operation: Operation, schemas: dict[str, Schema]) -> Schema:
    """Return every answer of *operation* by its status."""
    name = operation.handler.__name__
    success: Schema = {"description": _DESCRIPTIONS[operation.status]}
    if operation.output is not None:
        success["content"] = {JSON: {"schema": schemas[repr(operation.output)]}}
    elif operation.status != HTTPStatus.NO_CONTENT:
        success["content"] = {JSON: {"schema": _WITHOUT_STRUCT.get(name, {"type": "object"})}}
    success["headers"] = success_headers(operation)
    linked = {**success, "links": links} if (links := links_of(name)) else success
    answers = {str(operation.status): linked}
    for status in operation.also:
        same = status in (HTTPStatus.OK, HTTPStatus.CREATED)
        shown = linked if same else {"headers": success["headers"]}
        answers[str(status)] = {**shown, "description": _DESCRIPTIONS[status]}
    if operation.conditional:
        answers["304"] = {"description": _DESCRIPTIONS[304], "headers": {"ETag": HEADERS["ETag"]}}
    for status in _refusals(operation):
        answers[str(status)] = {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": schemas[repr(Problem)]}},
            "headers": refusal_headers(operation, status),
        }
    return answers


def _refusals(operation: Operation) -> list[int]:
    statuses = {400, 401, 403, 404, 421, 503, *operation.statuses}
    if operation.command:
        statuses |= {409, 412, 413, 422}
    if operation.input is not None:
        statuses |= {408, 413, 415}
    if limit_of(operation.path) is not None:
        statuses.add(429)
    return sorted(statuses)
