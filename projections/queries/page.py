"""Pages of a list, and the cursors that lead from one page to the next."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from domain.errors import InvalidError
from projections.budget import PAGE_BYTES
from projections.store import CutShort, DocumentStore, Query
from projections.writes import Document


class Page(Struct, frozen=True, kw_only=True):
    """Some items of a list, and the cursor for the items after them, None at the end.

    A page ends after some megabytes, with fewer items than it was asked for.
    """

    items: list[Document]
    next_cursor: str | None


class PageRequest(Struct, frozen=True, kw_only=True):
    """How many items a page has at most, and the cursor after which it begins."""

    limit: int = 20
    cursor: str | None = None


def read_page(store: DocumentStore, query: Query, page: PageRequest) -> Page:
    """Return the page of *query* that *page* requests; raises InvalidError for a cursor of another list."""
    return _page(query, page, store.find(_limited(query, page, PAGE_BYTES)))


def read_pages(store: DocumentStore, queries: Sequence[Query], page: PageRequest) -> list[Page]:
    """Return the same page of each of *queries*, which name one collection, with one request to the store."""
    share = max(PAGE_BYTES // max(len(queries), 1), 1)
    answers = store.find_many([_limited(query, page, share) for query in queries])
    return [_page(query, page, documents) for query, documents in zip(queries, answers, strict=True)]


def _limited(query: Query, page: PageRequest, most_bytes: int) -> Query:
    """Return the query of one page and the item after it, which shows whether there is a next page."""
    after = None if page.cursor is None else decode_cursor(page.cursor)
    return msgspec.structs.replace(query, limit=page.limit + 1, after=after, most_bytes=most_bytes)


def _page(query: Query, page: PageRequest, documents: list[Document]) -> Page:
    if len(documents) <= page.limit and not isinstance(documents, CutShort):
        return Page(items=documents, next_cursor=None)
    last = documents[: page.limit][-1]
    return Page(items=documents[: page.limit], next_cursor=encode_cursor(last.get(query.sort), last["id"]))


def encode_cursor(*values: Any) -> str:
    """Write the sort value and the id of a page's last item as opaque text."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(values)).rstrip(b"=").decode()


_decoder = msgspec.msgpack.Decoder(tuple[str | int | float | bool | None, str])


def decode_cursor(cursor: str) -> tuple[Any, str]:
    """Read a cursor; raises InvalidError."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidError(
            "not a cursor: use the nextCursor of a page", code="invalid_cursor", pointer="/cursor"
        ) from error
