"""What a handler answers, and the answers to queries and commands with their headers."""

import hashlib
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar.types import Receive, Scope, Send
from msgspec import Struct

from commands.outcomes import Accepted
from projections.queries.composed_answers import Rendered
from projections.queries.page import Page
from projections.writes import Document
from read_api.gateway.call import Call

JSON_TYPE = "application/json"
_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


class Answer(Struct, kw_only=True):
    """What a handler answers: a status, a body that is ready to send, headers.

    It is an ASGI application, which sends it. No cache may store an answer that does not allow it.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    media_type: str = JSON_TYPE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 # ASGI's signature
        """Send the answer."""
        headers = [
            (name.lower().encode("ascii"), value.encode("latin-1")) for name, value in self.headers.items()
        ]
        if "Cache-Control" not in self.headers:
            headers.append((b"cache-control", b"no-store"))
        if self.body:
            headers.append((b"content-type", self.media_type.encode("ascii")))
            headers.append((b"content-length", b"%d" % len(self.body)))
        start: Any = {"type": "http.response.start", "status": self.status, "headers": headers}
        body: Any = {"type": "http.response.body", "body": self.body, "more_body": False}
        await send(start)
        await send(body)


def json_answer(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with *document* as JSON."""
    return Answer(status=status, body=msgspec.json.encode(document), headers=headers or {})


def document_answer(_: Call, document: Document, *, composed: bool = False) -> Answer:
    """Answer a query with *document* and its entity tag.

    The entity tag of a *composed* document depends on its content too, which changes without a new version.
    """
    body = msgspec.json.encode(document)
    return _tagged(body, etag(document["version"], body if composed else None))


def rendered_answer(_: Call, rendered: Rendered) -> Answer:
    """Answer a query with a composed document whose JSON is ready."""
    return _tagged(rendered.body, f'"{rendered.document["version"]}-{rendered.digest}"')


def _tagged(body: bytes, tag: str) -> Answer:
    return Answer(body=body, headers={"ETag": tag, **_PRIVATE})


def etag(version: int, body: bytes | None = None) -> str:
    """Return the entity tag of a version; with *body*, of a composed resource (RFC 9110, section 8.8)."""
    if body is None:
        return f'"{version}"'
    return f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def page_answer(call: Call, path: str, page: Page, fields: str | None) -> Answer:
    """Answer with a page of the list at *path*; `Link` leads to the next one (RFC 8288)."""
    items = page.items if fields is None else [pick_fields(item, fields) for item in page.items]
    headers = dict(_PRIVATE)
    if page.next_cursor is not None:
        query = urlencode({**call.query, "cursor": page.next_cursor})
        headers["Link"] = f'<{path}?{query}>; rel="next"'
    return json_answer({"items": items, "nextCursor": page.next_cursor}, headers=headers)


def command_headers(call: Call, accepted: Accepted) -> dict[str, str]:
    """Return the headers with the outcome of a command."""
    headers = {
        "ETag": f'"{accepted.version}"',
        "CodePark-Position": call.position_after(accepted).token(),
        "CodePark-Command": accepted.command_id,
    }
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return headers


def command_answer(
    call: Call,
    accepted: Accepted,
    document: Document | None = None,
    *,
    status: int = 200,
    location: str | None = None,
) -> Answer:
    """Answer a command with the resource that it changed, or with 204 where there is none to show.

    *location* is where a new resource is.
    """
    headers = command_headers(call, accepted)
    if location is not None:
        headers["Location"] = location
    if document is None:
        return Answer(status=204, headers=headers)
    return Answer(status=status, body=msgspec.json.encode(document), headers=headers)


def pick_fields(document: Document, fields: str) -> Document:
    """Return the *fields* of *document*, which are names separated by commas."""
    return {name: document[name] for name in fields.split(",") if name in document}
