"""From declared operations to Litestar routes."""

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import structlog
from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec import Struct

from domain.limits import BODY_SIZE
from domain.policy import permit
from read_api.api import Api
from read_api.gateway.asgi_response import Sent
from read_api.gateway.bodies import check_length, check_media_type, decode_body, decode_query, too_large
from read_api.gateway.call import Answer, Call
from read_api.gateway.deprecation import retirement, with_retirement
from read_api.gateway.limits.tiers import limit_of
from read_api.gateway.operation import Operation
from read_api.gateway.problems import (
    MEDIA_TYPE,
    RETRY_SECONDS,
    BadInputError,
    HttpError,
    as_http_error,
    problem_body,
)

logger = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]


def routes_of(api: Api, operations: Iterable[Operation]) -> list[HTTPRouteHandler]:
    """Return a Litestar handler for each operation."""
    return [_route(api, operation) for operation in operations]


def _route(api: Api, operation: Operation) -> HTTPRouteHandler:
    limit, retired = limit_of(operation.path), retirement(operation)

    async def endpoint(request: AnyRequest) -> ASGIApp:
        state: dict[str, Any] = request.scope["state"]
        try:
            answer = await _answer(api, operation, request, state, limit)
        except Exception as error:  # noqa: BLE001 # the error table knows them; the rest is logged as ours
            answer = failed(error, state["instance"], state["request_id"])
        if retired:
            answer.headers = with_retirement(answer.headers, retired)
        return Sent(answer)

    endpoint.__name__ = operation.handler.__name__
    return route(
        operation.path,
        http_method=operation.method,  # type: ignore[arg-type] # the names are those of HTTP
        status_code=200,
        include_in_schema=False,
        opt={"operation": operation},
    )(endpoint)


def response(answer: Answer) -> Response[bytes]:
    """Return *answer* for Litestar; no cache keeps what does not say that it may."""
    headers = {"Cache-Control": "no-store", **answer.headers}
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=answer.media_type)


async def _answer(
    api: Api, operation: Operation, request: AnyRequest, state: dict[str, Any], limit: str | None
) -> Answer:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
    query = read_query(request.scope["query_string"])
    path: dict[str, str] = request.scope["path_params"]
    if "path" in path:  # as it was sent: the router would have folded it
        if "file_path" not in state:
            raise HttpError(404, "not_found", "there is no such path")
        path = {**path, "path": state["file_path"]}
    call = Call(api, headers, path, query, state["request_id"], state)
    if limit is not None:
        await api.limits.request(call, limit)
    permit(call.actor, operation.action)
    arguments: list[Struct] = []
    if operation.input is not None:
        arguments.append(await _body(operation, request, headers, api.gateway.body_seconds))
    if operation.query is not None:
        arguments.append(decode_query(query, operation.query))
    if operation.unhurried:
        return await operation.handler(call, *arguments)
    deadline = asyncio.timeout(api.gateway.request_seconds)
    try:
        async with deadline:
            return await operation.handler(call, *arguments)
    except TimeoutError as error:
        if not deadline.expired():
            raise
        headers = {"Retry-After": str(RETRY_SECONDS)}
        raise HttpError(503, "deadline", "this took too long, and was given up", headers=headers) from error


def read_query(raw: bytes) -> dict[str, str]:
    """Read a query string; raises BadInputError where it is not UTF-8."""
    if not raw:
        return {}
    try:
        return dict(
            parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInputError("the query is not percent-encoded UTF-8", "query") from error


async def _body(operation: Operation, request: AnyRequest, headers: dict[str, str], seconds: float) -> Struct:
    assert operation.input is not None  # noqa: S101 # the caller checked it
    check_length(headers.get("content-length"))
    raw = await read_in_time(request, seconds)
    if not raw and operation.optional_body:
        return decode_body(b"{}", operation.input)
    check_media_type(headers.get("content-type", ""), patch=operation.patch)
    return decode_body(raw, operation.input)


async def read_in_time(request: AnyRequest, seconds: float) -> bytes:
    """Read the body; raises HttpError 408 where it is not there within *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            return await read_limited(request)
    except TimeoutError as error:
        raise HttpError(
            408,
            "request_timeout",
            f"the body was not here after {seconds:g} s",
            headers={"Connection": "close"},
        ) from error


async def read_limited(request: AnyRequest, limit: int = BODY_SIZE) -> bytes:
    """Read the body; raises HttpError 413 as soon as it is over *limit* bytes."""
    chunks, size = [], 0
    while True:
        message: Any = await request.receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "incomplete_body", "the body ended early")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large()
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def failed(error: Exception, path: str, request_id: str) -> Answer:
    """Answer with the problem that the error table gives; what it does not know is a fault of ours."""
    known = as_http_error(error)
    if known is None:
        logger.error("request failed", path=path, request_id=request_id, exc_info=error)
        known = HttpError(500, "internal_error", "something went wrong on our side")
    body = problem_body(known, path, request_id)
    return Answer(status=known.status, body=body, headers=known.headers, media_type=MEDIA_TYPE)
