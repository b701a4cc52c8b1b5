"""The Litestar application: every route of the HTTP surface, and the edge in front of them."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from read_api.api import Api
from read_api.edge import Edge
from read_api.gateway.operation import Operation
from read_api.gateway.routes import failed, response, routes_of
from read_api.graphql import available
from read_api.openapi import document
from read_api.problems import HttpError
from read_api.realtime.channels import STREAM_PARAMETERS, STREAM_PATH, event_socket, event_stream
from read_api.rest import (
    accounts,
    auth,
    builds,
    business,
    commands,
    commits,
    events,
    feedback,
    files,
    inbox,
    insights,
    jobs,
    mailed_tokens,
    me,
    preferences,
    projects,
    registration,
    reviews,
    second_factors,
    system,
)
from read_api.web.event_documents import event_routes
from read_api.web.pages import document_route, page_routes
from read_api.web.project_page import project_page

_RESOURCES = (
    registration,
    auth,
    second_factors,
    mailed_tokens,
    me,
    accounts,
    projects,
    files,
    commits,
    reviews,
    builds,
    insights,
    events,
    inbox,
    preferences,
    commands,
    jobs,
    feedback,
    business,
    system,
)


def operations() -> list[Operation]:
    """Return every declared operation."""
    return [operation for resource in _RESOURCES for operation in resource.operation.all]


def create_app(api: Api) -> ASGIApp:
    """Return the ASGI application over *api*."""
    declared = operations()
    openapi = msgspec.json.encode(document(declared, version("codepark")))
    app = Litestar(
        route_handlers=[
            *routes_of(api, declared),
            event_stream(api),
            event_socket(api),
            document_route("/schema/openapi.json", openapi, "application/json"),
            *event_routes(api.asyncapi, api.event_schemas),
            *page_routes(),
            project_page(),
            *_graphql(api),
        ],
        openapi_config=None,
        exception_handlers={HTTPException: _routing_error, Exception: _unexpected},
        request_max_body_size=None,
    )
    allowed = {
        route.path: [str(method) for method in route.methods]
        for route in app.routes
        if isinstance(route, HTTPRoute)
    }
    return Edge(app, allowed, api.gateway, api.limits, _parameters(declared))


def _parameters(declared: Iterable[Operation]) -> dict[str, frozenset[str]]:
    """Return the query parameters of each path, of all its methods together."""
    known = {STREAM_PATH: STREAM_PARAMETERS}
    for operation in declared:
        known[operation.path] = known.get(operation.path, frozenset()) | operation.parameters
    return known


def _graphql(api: Api) -> list[Any]:
    """Return the routes of `/graphql`, none where the extra that they need is not installed."""
    if not available():
        return []
    from read_api.graphql.routes import graphql_routes  # noqa: PLC0415 # it imports the extra

    return graphql_routes(api)


def _routing_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer a refusal by Litestar itself, such as an unknown path or method."""
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "refused")
    return _problem(request, HttpError(error.status_code, code, error.detail, headers=error.headers))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return _problem(request, error)


def _problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    state = request.scope["state"]
    answer = failed(error, state.get("instance", request.scope["path"]), state.get("request_id", ""))
    return response(answer)
