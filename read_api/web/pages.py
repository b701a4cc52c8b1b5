"""The web pages and their files, served from the package; nothing is loaded from another host."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from read_api.gateway.preconditions import not_modified

_ROOT = Path(__file__).parent
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src {style}; img-src {image}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OWN_POLICY = _POLICY.format(style="'self'", image="'self'")
# Swagger UI and GraphiQL add style elements to the page, and their icons are data URLs.
GRAPHIQL_POLICY = _POLICY.format(style="'self' 'unsafe-inline'", image="'self' data:") + "; font-src data:"
_SWAGGER = _POLICY.format(style="'self' 'unsafe-inline'", image="'self' data:")


def page_routes() -> list[Any]:
    """Return the routes of the pages."""
    return [_page("/", "index.html", OWN_POLICY), _page("/docs", "docs.html", _SWAGGER), _asset]


def _page(path: str, name: str, policy: str) -> Any:
    body = page_body(name)
    return document_route(path, body, _TYPES[".html"], {"Content-Security-Policy": policy})


def page_body(name: str) -> bytes:
    """Return the HTML of a page."""
    return (_ROOT / name).read_bytes()


def document_route(path: str, body: bytes, media_type: str, more: Mapping[str, str] | None = None) -> Any:
    """Return the route of a document that never changes while the server runs, with *more* headers."""
    tag = tag_of(body)
    headers = {"Cache-Control": "no-cache", "ETag": tag, **(more or {})}

    @get(path, include_in_schema=False)
    async def document(request: Request[Any, Any, Any]) -> Response[bytes]:
        return document_answer(request, body, media_type, headers)

    return document


def document_answer(
    request: Request[Any, Any, Any], body: bytes, media_type: str, headers: dict[str, str]
) -> Response[bytes]:
    """Return a document, or that it has not changed: *headers* have its `ETag`."""
    if not_modified(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=False)
def _asset(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer with a file; a browser caches it, and asks each time whether it has changed."""
    name = request.path_params["name"]
    for folder in ("assets", "vendor"):
        path = _ROOT / folder / name
        if path.parent == _ROOT / folder and path.suffix in _TYPES and path.is_file():
            body, tag = _loaded(path, path.stat().st_mtime_ns)
            headers = {"Cache-Control": "no-cache", "ETag": tag}
            return document_answer(request, body, _TYPES[path.suffix], headers)
    raise NotFoundException("there is no file with this name")


@lru_cache(maxsize=64)
def _loaded(path: Path, changed: int) -> tuple[bytes, str]:  # noqa: ARG001 # part of the cache's key
    body = path.read_bytes()
    return body, tag_of(body)


def tag_of(body: bytes) -> str:
    """Return the entity tag of a document."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'
