"""`/graphql` over HTTP, as the GraphQL-over-HTTP specification has it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from graphql import OperationType
from litestar import Request as HttpRequest
from litestar import route
from litestar.types import ASGIApp
from msgspec import Struct

from commands.position import START
from read_api.api import Api
from read_api.gateway.asgi_response import Sent
from read_api.gateway.bodies import check_length, check_media_type, decode_body
from read_api.gateway.call import Answer
from read_api.gateway.problems import BadInputError, HttpError, as_http_error
from read_api.gateway.routes import failed, read_in_time, read_query
from read_api.graphql.errors import RefusedError, error_document, refused_document, result_document
from read_api.graphql.lazy_engine import Engines
from read_api.graphql.media_types import HTML, JSON, answer_type
from read_api.graphql.persisted import Request, read_digest
from read_api.web.pages import GRAPHIQL_POLICY

if TYPE_CHECKING:
    from read_api.graphql.context import Context
    from read_api.graphql.executor import Engine

PATH = "/graphql"
_PAGE = Path(__file__).parents[1] / "web" / "graphiql.html"


class Body(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a POST carries; parameters that nobody knows are passed over, as the specification asks."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


def http_routes(api: Api, engines: Engines) -> list[Any]:
    """Return the routes of queries and mutations."""
    page = _PAGE.read_bytes()

    @route(PATH, http_method=["GET", "POST"], status_code=200, include_in_schema=False)
    async def graphql(request: HttpRequest[Any, Any, Any]) -> ASGIApp:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]
        }
        state: dict[str, Any] = request.scope["state"]
        try:
            media = answer_type(headers.get("accept"), page=request.method == "GET")
        except HttpError as error:
            return Sent(failed(error, state["instance"], state["request_id"]))
        if media == HTML:
            return Sent(_page(page))
        return Sent(await _answer(api, engines, request, headers, media))

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
    api: Api, engines: Engines, request: HttpRequest[Any, Any, Any], headers: dict[str, str], media: str
) -> Answer:
    """Answer an operation; what is refused before it runs has the status of its REST problem."""
    state: dict[str, Any] = request.scope["state"]
    request_id = state["request_id"]
    try:
        engine = await engines.get()
        context = engine.context(headers, request_id, state)
        await api.limits.request(context.call)
        asked = await _asked(request, headers, api.gateway.body_seconds)
        _ = context.actor  # a token that is not valid is refused whatever is asked for
        found = await _carried_out(engine, context, asked, get=request.method == "GET")
    except RefusedError as error:
        errors = [error_document(item, request_id) for item in error.errors]
        # A well-formed request in plain JSON is 200, whatever becomes of it: section 6.4.1 of the specification.
        return _sent({"errors": errors}, media, 200 if media == JSON else 400)
    except Exception as error:  # noqa: BLE001 # the error table knows them; the rest is logged as ours
        known = as_http_error(error)
        if known is None:
            failed(error, PATH, request_id)
            known = HttpError(500, "internal_error", "something went wrong on our side")
        return _sent(refused_document(known, request_id), media, known.status, known.headers)
    return found_answer(found, context, media)


def found_answer(found: dict[str, Any], context: "Context", media: str) -> Answer:
    """Return the answer with what an operation gave: without data, the request itself was at fault."""
    status = 200 if media == JSON or "data" in found else 400
    headers = {} if context.position == START else {"CodePark-Position": context.position.token()}
    return _sent(found, media, status, headers)


def _sent(document: dict[str, Any], media: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(
        status=status,
        body=msgspec.json.encode(document),
        headers={"Vary": "Accept, Authorization", **(headers or {})},
        media_type=f"{media}; charset=utf-8",
    )


async def _carried_out(engine: "Engine", context: "Context", asked: Request, *, get: bool) -> dict[str, Any]:
    operation = await engine.prepare(asked)
    if operation.kind is OperationType.SUBSCRIPTION:
        raise BadInputError("subscribe over graphql-transport-ws", "/query")
    if get and operation.kind is OperationType.MUTATION:
        raise HttpError(405, "method_not_allowed", "send mutations by POST", headers={"Allow": "POST"})
    result = await engine.execute(operation, context)
    found = result_document(result, context.request_id)
    if result.data is None and all(error.path is None for error in result.errors or ()):
        del found["data"]  # the variables do not fit: nothing has run
    return found


async def _asked(request: HttpRequest[Any, Any, Any], headers: dict[str, str], seconds: float) -> Request:
    if request.method == "GET":
        return _from_query(read_query(request.scope["query_string"]))
    check_length(headers.get("content-length"))
    raw = await read_in_time(request, seconds)
    check_media_type(headers.get("content-type", ""), patch=False)
    if raw.lstrip()[:1] == b"[":
        raise BadInputError("send one operation, not a list of them", "")
    body = decode_body(raw, Body)
    return Request(
        query=body.query,
        operation_name=body.operation_name,
        variables=body.variables or {},
        digest=read_digest(body.extensions),
    )


def _from_query(query: dict[str, str]) -> Request:
    return Request(
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
        found: dict[str, Any] | None = msgspec.json.decode(text, type=dict[str, Any] | None)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise BadInputError(f"{name} takes a JSON object", name) from error
    return found
