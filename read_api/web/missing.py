"""What a browser sees where there is nothing: a page with links. Programs get a problem document instead."""

from functools import cache
from typing import Any

from read_api.gateway.answers import Answer
from read_api.web.pages import OWN_POLICY, page_body

_HTML = "text/html"


def wants_page(scope: Any) -> bool:
    """Return whether the request is a browser's: only a browser asks for HTML by its name."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    accepted = (value.decode("latin-1") for name, value in scope["headers"] if name == b"accept")
    return any(
        part.partition(";")[0].strip().lower() == _HTML for text in accepted for part in text.split(",")
    )


def missing_page() -> Answer:
    """Return the page that says that there is none."""
    headers = {"Content-Security-Policy": OWN_POLICY, "Vary": "Accept"}
    return Answer(status=404, body=_body(), headers=headers, media_type=f"{_HTML}; charset=utf-8")


@cache
def _body() -> bytes:
    return page_body("missing.html")
