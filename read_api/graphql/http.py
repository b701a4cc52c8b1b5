"""`/graphql` over HTTP, as the GraphQL-over-HTTP specification defines it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from graphql import OperationType
from litestar import Request as HttpRequest
from litestar import route
from litestar.types import ASGIApp

from commands.position import START
from read_api.api import Api
from read_api.gateway.answers import Answer
from read_api.gateway.bodies import check_media_type, decode_body, read_body
from read_api.gateway.query_strings import check_parameters, read_query
from read_api.gateway.routes import decoded_headers, failed, known_error
from read_api.graphql.errors import (
    RefusedError,
    error_document,
    has_not_run,
    refused_document,
    result_document,
)
from read_api.graphql.lazy_executor import LazyExecutor
from read_api.graphql.media_types import HTML, JSON, answer_type
from read_api.graphql.requests import GraphQLRequest, OperationPayload, read_digest
from read_api.problems import BadInputError, HttpError
from read_api.web.pages import GRAPHIQL_POLICY

if TYPE_CHECKING:
    from read_api.graphql.context import Context
    from read_api.graphql.executor import Executor

PATH = "/graphql"
GET_PARAMETERS = frozenset({"query", "variables", "operationName", "extensions"})
"""The query parameters that GraphQL over HTTP gives a GET; a POST has its operation in the body."""

_PAGE = Path(__file__).parents[1] / "web" / "graphiql.html"


def http_routes(api: Api, executor: LazyExecutor) -> list[Any]:
    """Return the routes of queries and mutations."""
    page = _PAGE.read_bytes()

    @route(PATH, http_method=["GET", "POST"], status_code=200, include_in_schema=False)
    async def graphql(request: HttpRequest[Any, Any, Any]) -> ASGIApp:
        headers = decoded_headers(request.scope)
        state: dict[str, Any] = request.scope["state"]
        try:
            media = answer_type(headers.get("accept"), page=request.method == "GET")
        except HttpError as error:
            return failed(error, state["instance"], state["request_id"])
        if media == HTML:
            return _page(page)
        return await _answer(api, executor, request, headers, media)

    return [graphql]


def _page(body: bytes) -> Answer:
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": GRAPHIQL_POLICY,
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
    }
    return Answer(body=body, headers=headers, media_type=HTML)


async def _answer(
    api: Api, lazy: LazyExecutor, http: HttpRequest[Any, Any, Any], headers: dict[str, str], media: str
) -> Answer:
    """Answer an operation; a refusal before it runs has the status of its REST problem."""
    state: dict[str, Any] = http.scope["state"]
    request_id = state["request_id"]
    try:
        executor = await lazy.get()
        context = executor.context(headers, request_id, state)
        await api.limits.request(context.call)
        request = await _request(http, headers, api.gateway.body_seconds)
        _ = context.actor  # an invalid token is refused, whatever the operation asks for
        document = await _executed(executor, context, request, get=http.method == "GET")
    except RefusedError as error:
        errors = [error_document(each, request_id) for each in error.errors]
        # A well-formed request in plain JSON is answered with 200: section 6.4.1 of the specification.
        return _sent({"errors": errors}, media, 200 if media == JSON else 400)
    except Exception as error:  # noqa: BLE001 # the error table knows them; the rest is logged as ours
        known = known_error(error, request_id)
        return _sent(refused_document(known, request_id), media, known.status, known.headers)
    return _result_answer(document, context, media)


def _result_answer(document: dict[str, Any], context: "Context", media: str) -> Answer:
    """Return the answer with the result of an operation; without data, the request itself was wrong."""
    status = 200 if media == JSON or "data" in document else 400
    position = context.call.shown_position if context.position == START else context.position.token()
    return _sent(document, media, status, {} if position is None else {"CodePark-Position": position})


def _sent(document: dict[str, Any], media: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(
        status=status,
        body=msgspec.json.encode(document),
        headers={"Vary": "Accept, Authorization", **(headers or {})},
        media_type=f"{media}; charset=utf-8",
    )


async def _executed(
    executor: "Executor", context: "Context", request: GraphQLRequest, *, get: bool
) -> dict[str, Any]:
    operation = await executor.prepare(request)
    if operation.kind is OperationType.SUBSCRIPTION:
        raise BadInputError("subscribe over a WebSocket, with the protocol graphql-transport-ws", "/query")
    if get and operation.kind is OperationType.MUTATION:
        raise HttpError(405, "method_not_allowed", "send mutations by POST", headers={"Allow": "POST"})
    result = await executor.execute(operation, context)
    document = result_document(result, context.request_id)
    if has_not_run(result):
        del document["data"]
    return document


async def _request(
    http: HttpRequest[Any, Any, Any], headers: dict[str, str], seconds: float
) -> GraphQLRequest:
    if http.method == "GET":
        query = read_query(http.scope["query_string"])
        check_parameters(query, GET_PARAMETERS)
        return _from_query(query)
    check_parameters(read_query(http.scope["query_string"]), ())
    raw = await read_body(http.receive, headers, seconds)
    check_media_type(headers.get("content-type", ""))
    if raw.lstrip()[:1] == b"[":
        raise BadInputError("send one operation, not a list of them", "")
    return decode_body(raw, OperationPayload).request()


def _from_query(query: dict[str, str]) -> GraphQLRequest:
    return GraphQLRequest(
        query=query.get("query"),
        operation_name=query.get("operationName") or None,
        variables=_object(query, "variables") or {},
        digest=read_digest(_object(query, "extensions")),
    )


def _object(query: dict[str, str], name: str) -> dict[str, Any] | None:
    text = query.get(name)
    if not text:
        return None
    try:
        value: dict[str, Any] | None = msgspec.json.decode(text, type=dict[str, Any] | None)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise BadInputError(f"{name} takes a JSON object", name) from error
    return value
