"""Litestar routes made from the declared operations."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog
from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec import Struct

from domain.actor import ANONYMOUS
from domain.policy import permit
from projections.budget import budgeted
from read_api.api import Api
from read_api.gateway.answers import Answer
from read_api.gateway.bodies import check_media_type, decode_body, read_body
from read_api.gateway.call import Call
from read_api.gateway.deprecation import retirement, with_retirement
from read_api.gateway.limits.tiers import limit_of
from read_api.gateway.operation import FIELDS, Operation
from read_api.gateway.query_strings import check_parameters, decode_query, read_query
from read_api.gateway.representations import check_fields, finished
from read_api.problems import (
    MEDIA_TYPE,
    HttpError,
    as_http_error,
    internal_error,
    problem_body,
    unavailable,
)
from telemetry.observers import ROUTE

logger = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]


def routes_of(api: Api, operations: Iterable[Operation]) -> list[HTTPRouteHandler]:
    """Return a Litestar handler for each operation."""
    return [_route(api, operation) for operation in operations]


def _route(api: Api, operation: Operation) -> HTTPRouteHandler:
    limit, retired = limit_of(operation.path), retirement(operation)

    async def endpoint(request: AnyRequest) -> ASGIApp:
        state: dict[str, Any] = request.scope["state"]
        state["action"] = operation.action
        try:
            with budgeted():
                answer = await _answer(api, operation, request, state, limit)
        except Exception as error:  # noqa: BLE001 # the error table knows them; the rest is logged as ours
            answer = failed(error, state["instance"], state["request_id"])
        if retired:
            answer.headers = with_retirement(answer.headers, retired)
        return answer

    endpoint.__name__ = operation.handler.__name__
    return route(
        operation.path,
        http_method=operation.method,  # type: ignore[arg-type] # the names are those of HTTP
        status_code=200,
        include_in_schema=False,
        opt={"operation": operation},
    )(endpoint)


async def _answer(
    api: Api, operation: Operation, request: AnyRequest, state: dict[str, Any], limit: str | None
) -> Answer:
    call = _call(api, operation, request.scope, state)
    if limit is not None:
        await api.limits.request(call, limit)
    permit(ANONYMOUS if operation.open else call.actor, operation.action)
    query = _checked_query(operation, call)
    arguments: list[Struct] = []
    if operation.input is not None:
        arguments.append(await _body(operation, operation.input, request, call.headers, api))
    if query is not None:
        arguments.append(query)
    answer = await _handled(api, operation, call, arguments)
    return finished(answer, operation, call.headers, call.query.get(FIELDS))


def _checked_query(operation: Operation, call: Call) -> Struct | None:
    """Return the query as the operation takes it; raises HttpError for what it does not take."""
    if call.query:
        check_parameters(call.query, operation.parameters)
        if FIELDS in call.query:
            check_fields(call.query[FIELDS], operation)
    return None if operation.query is None else decode_query(call.query, operation.query)


async def _handled(api: Api, operation: Operation, call: Call, arguments: list[Struct]) -> Answer:
    """Return the handler's answer; raises HttpError 503 where it takes too long."""
    if operation.unhurried:
        return await operation.handler(call, *arguments)
    deadline = asyncio.timeout(api.gateway.request_seconds)
    try:
        async with deadline:
            answer = await operation.handler(call, *arguments)
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise unavailable("deadline", "the request took too long and was stopped") from error
    if call.shown_position is not None:
        answer.headers = {**answer.headers, "CodePark-Position": call.shown_position}
    return answer


def _call(api: Api, operation: Operation, scope: Any, state: dict[str, Any]) -> Call:
    raw_query: bytes = scope["query_string"]
    path: dict[str, str] = scope["path_params"]
    if "path" in path:  # as it was sent: the router would have folded it
        if "file_path" not in state:
            raise HttpError(404, "not_found", "there is no such path")
        path = {**path, "path": state["file_path"]}
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = read_query(raw_query) if raw_query else {}
    return Call(
        api, headers, path, query, state["request_id"], state, operation.command_type, operation.method
    )


async def _body(
    operation: Operation, input_: type[Struct], request: AnyRequest, headers: dict[str, str], api: Api
) -> Struct:
    raw = await read_body(request.receive, headers, api.gateway.body_seconds)
    if not raw and operation.optional_body:
        return decode_body(b"{}", input_)
    check_media_type(headers.get("content-type", ""), patch=operation.patch)
    return decode_body(raw, input_)


def decoded_headers(scope: Any) -> dict[str, str]:
    """Return the headers of a request as text; ASGI servers send their names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def response(answer: Answer) -> Response[bytes]:
    """Return *answer* for Litestar; no cache may store an answer that does not allow it."""
    headers = {"Cache-Control": "no-store", **answer.headers}
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=answer.media_type)


def failed(error: Exception, path: str, request_id: str) -> Answer:
    """Answer with the problem that the error table gives; any other error is ours, and is logged."""
    known = known_error(error, request_id)
    body = problem_body(known, path, request_id)
    return Answer(status=known.status, body=body, headers=known.headers, media_type=MEDIA_TYPE)


def known_error(error: Exception, request_id: str) -> HttpError:
    """Return what the error table gives for *error*; any other error is ours, and is logged."""
    known = as_http_error(error)
    if known is None:
        logger.error("request failed", route=ROUTE.get(), request_id=request_id, exc_info=error)
        return internal_error()
    return known
