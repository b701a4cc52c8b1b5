"""Serve the pages and their files from the package; nothing comes from another host."""

from pathlib import Path
from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

_ROOT = Path(__file__).parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_routes() -> list[Any]:
    """Return the routes of the pages."""
    return [_page("/", "index.html"), _page("/docs", "docs.html"), _asset]


def _page(path: str, name: str) -> Any:
    body = (_ROOT / name).read_bytes()

    @get(path, include_in_schema=False)
    async def page() -> Response[bytes]:
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
        return Response(body, media_type=_TYPES[".html"], headers=headers)

    return page


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=False)
def _asset(name: str) -> Response[bytes]:
    for folder in ("assets", "vendor"):
        path = _ROOT / folder / name
        if path.parent == _ROOT / folder and path.suffix in _TYPES and path.is_file():
            headers = {"Cache-Control": "public, max-age=86400"}
            return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=headers)
    raise NotFoundException("there is no such file")
