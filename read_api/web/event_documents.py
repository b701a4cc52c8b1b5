"""The documents about events: the AsyncAPI document, and each public event's schema at its own address."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from read_api.gateway.hosts import host_of
from read_api.web.pages import document_answer, document_route, tag_of

JSON = "application/json"
SCHEMA = "application/schema+json"
SCHEMAS = "/schema/events"


def event_routes(asyncapi: Callable[[str], bytes], schemas: Mapping[str, bytes]) -> list[Any]:
    """Return the routes: *asyncapi* writes the document for an address, *schemas* are by their paths."""
    listed = msgspec.json.encode({"items": sorted(schemas)})
    return [
        _asyncapi_route(asyncapi),
        document_route(SCHEMAS, listed, JSON),
        _schema_route({path: (body, tag_of(body)) for path, body in schemas.items()}),
    ]


def _schema_route(schemas: Mapping[str, tuple[bytes, str]]) -> Any:
    """Return one route of all schemas, which are by their paths with their entity tags.

    A route of its own for each would take a server's start longer.
    """

    @get(f"{SCHEMAS}/{{type:str}}/{{version:str}}", include_in_schema=False)
    async def schema(request: Request[Any, Any, Any]) -> Response[bytes]:
        known = schemas.get(request.scope["path"])
        if known is None:
            raise NotFoundException("there is no such event")
        return document_answer(request, known[0], SCHEMA, {"Cache-Control": "no-cache", "ETag": known[1]})

    return schema


def _asyncapi_route(asyncapi: Callable[[str], bytes]) -> Any:
    @get("/asyncapi.json", include_in_schema=False)
    async def document(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = asyncapi(address_of(request.scope))
        headers = {"Cache-Control": "no-cache", "ETag": tag_of(body), "Vary": "Host"}
        return document_answer(request, body, JSON, headers)

    return document


def address_of(scope: Any) -> str:
    """Return the address to which the request went: the host that it names, else that of the socket."""
    secure = scope["state"].get("secure")
    names = [value.decode("latin-1").strip() for key, value in scope["headers"] if key == b"host"]
    if len(names) == 1 and host_of(names[0]) is not None:
        host = names[0]
    else:
        name, port = scope.get("server") or ("localhost", None)
        host = name if port is None else f"{name}:{port}"
    return f"{'https' if secure else 'http'}://{host}"
