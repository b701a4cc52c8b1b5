"""The OpenAPI 3.1 document, made from the same declarations as the routes."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from domain.policy import POLICY
from read_api.gateway.bodies import JSON, MERGE_PATCH
from read_api.gateway.limits.tiers import limit_of
from read_api.gateway.operation import Operation
from read_api.problems import MEDIA_TYPE, Problem

_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_REF = "#/components/schemas/{name}"
_PATTERNS = {
    "path": {
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "pattern": r"^[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$",
    },
    "sha": {"type": "string", "pattern": "^[0-9a-f]{4,64}$"},
    "command_id": {"type": "string", "pattern": "^[0-9a-f-]{36}$"},
}
_ID = {"type": "string", "pattern": "^[A-Za-z0-9:_-]{1,64}$"}
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
    422: "The idempotency key was used with another body before",
    429: "Too many requests, or too many attempts: try again after `Retry-After` seconds",
    503: "Unavailable: try again after `Retry-After` seconds",
}


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}}


_HEADERS = {
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
_REFUSAL_HEADERS = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of *operations*."""
    shown = [operation for operation in operations if not operation.hidden]
    types = _types(shown)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    for operation in shown:
        if _picks_fields(operation):
            by_type[repr(operation.output)] = _with_fields(by_type[repr(operation.output)], components)
    paths: dict[str, dict[str, Any]] = {}
    for operation in shown:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CodePark",
            "version": version,
            "summary": "The backend of a collaborative code platform whose event history is the product.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in shown)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _picks_fields(operation: Operation) -> bool:
    return operation.query is not None and "fields" in operation.query.__struct_fields__


def _with_fields(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Return *schema* with the variant that `?fields=` gives; in a list, it is that of its items."""
    if "anyOf" in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    if name.startswith("ListOf_"):
        items = components[name]["properties"]["items"]
        items["items"] = _with_fields(items["items"], components)
        return schema
    picked = {key: value for key, value in components[name].items() if key != "required"}
    title = f"{name}Fields"
    components[title] = {**picked, "title": title, "description": "The fields that were asked for."}
    return {"anyOf": [schema, {"$ref": _REF.format(name=title)}]}


def _types(operations: list[Operation]) -> list[Any]:
    types: dict[str, Any] = {repr(Problem): Problem}
    for operation in operations:
        for type_ in (operation.input, operation.output, operation.query):
            if type_ is not None:
                types[repr(type_)] = type_
    return list(types.values())


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [{"bearer": []}] if POLICY[operation.action].roles is not None else [{"bearer": []}, {}],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_headers(operation)],
        "responses": _responses(operation, schemas),
    }
    if operation.deprecated is not None:
        described["deprecated"] = True
    if operation.input is not None:
        media = (JSON, MERGE_PATCH) if operation.patch else (JSON,)
        schema = schemas[repr(operation.input)]
        described["requestBody"] = {
            "required": not operation.optional_body,
            "content": {kind: {"schema": schema} for kind in media},
        }
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = _PARAMETER.findall(operation.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATTERNS.get(name, _ID)} for name in names
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    _, components = msgspec.json.schema_components([operation.query], ref_template=_REF)
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(schema)}
        for name, schema in components[operation.query.__name__]["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a query parameter: a query has no null."""
    schema = {key: value for key, value in schema.items() if key != "default" or value is not None}
    options = [option for option in schema.pop("anyOf", ()) if option != {"type": "null"}]
    return (
        {**schema, **options[0]}
        if len(options) == 1
        else {**schema, **({"anyOf": options} if options else {})}
    )


def _headers(operation: Operation) -> list[dict[str, Any]]:
    def header(name: str, pattern: str, description: str) -> dict[str, Any]:
        schema = {"type": "string", "pattern": pattern}
        return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}

    if operation.command:
        return [
            header(
                "Idempotency-Key",
                "^[!-~]{1,255}$",
                "Makes the request repeatable: a retry gets the outcome of the first request",
            ),
            header(
                "If-Match",
                r'^"[0-9]{1,9}(-[0-9a-f]{16})?"$',
                "Refuse the request unless this is the current version",
            ),
        ]
    headers = []
    if operation.method == "GET" and operation.path.startswith("/api/"):
        headers.append(
            header(
                "CodePark-After", "^[A-Za-z0-9_-]{8,1200}$", "Answer from a state that includes this position"
            )
        )
    if operation.conditional:
        description = "Answer 304 if this is the current state"
        headers.append(header("If-None-Match", r'^"[0-9a-f-]{1,40}"$', description))
    return headers


def _responses(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": _DESCRIPTIONS[operation.status]}
    if operation.output is not None:
        success["content"] = {JSON: {"schema": schemas[repr(operation.output)]}}
    elif operation.status != HTTPStatus.NO_CONTENT:
        success["content"] = {JSON: {"schema": {"type": "object"}}}
    success["headers"] = _success_headers(operation)
    responses = {str(operation.status): success}
    for status in operation.also:
        shown = success if status == HTTPStatus.CREATED else {"headers": success["headers"]}
        responses[str(status)] = {**shown, "description": _DESCRIPTIONS[status]}
    if operation.conditional:
        responses["304"] = {"description": _DESCRIPTIONS[304], "headers": {"ETag": _HEADERS["ETag"]}}
    problem = {MEDIA_TYPE: {"schema": schemas[repr(Problem)]}}
    for status in _refusals(operation):
        names = (*_REFUSAL_HEADERS.get(status, ()), *_always(operation))
        headers = {name: _HEADERS[name] for name in names}
        responses[str(status)] = {
            "description": _DESCRIPTIONS[status],
            "content": problem,
            "headers": headers,
        }
    return responses


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


def _success_headers(operation: Operation) -> dict[str, Any]:
    names = _always(operation)
    if operation.conditional:
        names.append("ETag")
    if operation.command:
        names += ["ETag", "CodePark-Position", "CodePark-Command", "Idempotency-Replayed"]
    if HTTPStatus.CREATED in (operation.status, *operation.also):
        names.append("Location")
    if operation.query is not None and "cursor" in operation.query.__struct_fields__:
        names.append("Link" if _picks_fields(operation) else "CodePark-Position")
    return {name: _HEADERS[name] for name in names}


def _refusals(operation: Operation) -> list[int]:
    statuses = {400, 401, 403, 404, 503, *operation.statuses}
    if operation.command:
        statuses |= {409, 412, 413, 422}
    if operation.input is not None:
        statuses |= {408, 413, 415}
    if limit_of(operation.path) is not None:
        statuses.add(429)
    return sorted(statuses)
