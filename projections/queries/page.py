"""Pages of a list, and the cursors that lead from one page to the next."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.errors import InvalidError
from projections.budget import PAGE_BYTES
from projections.store import CutShort, DocumentStore, Query
from projections.writes import Document

_INTEGERS = Meta(ge=-(2**63), le=2**63 - 1)
"""The integers that every store can compare with."""

_CHECK_BYTES = 6


class Page(Struct, frozen=True, kw_only=True):
    """Some items of a list, and the cursor for the items after them, None at the end.

    A page ends after some megabytes, with fewer items than it was asked for. *list_id* names the list with
    its order and its filters: cursors of other lists are refused.
    """

    items: list[Document]
    next_cursor: str | None
    list_id: str = ""

    def with_items(self, items: list[Document]) -> "Page":
        """Return this page with *items* in place of its own, such as the same ones with fewer fields."""
        return replace(self, items=items)

    def cursor(self, value: Any, id_: str) -> str:
        """Return the cursor after the item with this sort value and id."""
        return encode_cursor(self.list_id, value, id_)


class PageRequest(Struct, frozen=True, kw_only=True):
    """How many items a page has at most, and the cursor after which it begins."""

    limit: int = 20
    cursor: str | None = None


def read_page(store: DocumentStore, query: Query, page: PageRequest, *, filters: str = "") -> Page:
    """Return the page of *query* that *page* requests; raises InvalidError for a cursor of another list.

    *filters* are those that the caller applies to the documents, beyond *query*.
    """
    list_id = identity(query, filters)
    return _page(query, page, list_id, store.find(_limited(query, page, list_id, PAGE_BYTES)))


def read_pages(store: DocumentStore, queries: Sequence[Query], page: PageRequest) -> list[Page]:
    """Return the same page of each of *queries*, which name one collection, with one request to the store."""
    share = max(PAGE_BYTES // max(len(queries), 1), 1)
    ids = [identity(query) for query in queries]
    limited = [_limited(query, page, list_id, share) for query, list_id in zip(queries, ids, strict=True)]
    answers = zip(queries, ids, store.find_many(limited), strict=True)
    return [_page(query, page, list_id, documents) for query, list_id, documents in answers]


def identity(query: Query, filters: str = "") -> str:
    """Return the name of the list that *query* reads: its collection, order and conditions decide it."""
    where = [(type(condition).__name__, condition) for condition in query.where]
    described = msgspec.msgpack.encode((query.collection, query.sort, query.descending, where, filters))
    return hashlib.blake2b(described, digest_size=8).hexdigest()


def _limited(query: Query, page: PageRequest, list_id: str, most_bytes: int) -> Query:
    """Return the query of one page and the item after it, which shows whether there is a next page."""
    after = None if page.cursor is None else decode_cursor(list_id, page.cursor)
    return replace(query, limit=page.limit + 1, after=after, most_bytes=most_bytes)


def _page(query: Query, page: PageRequest, list_id: str, documents: list[Document]) -> Page:
    if len(documents) <= page.limit and not isinstance(documents, CutShort):
        return Page(items=documents, next_cursor=None, list_id=list_id)
    last = documents[: page.limit][-1]
    cursor = encode_cursor(list_id, last.get(query.sort), last["id"])
    return Page(items=documents[: page.limit], next_cursor=cursor, list_id=list_id)


def encode_cursor(list_id: str, value: Any, id_: str) -> str:
    """Write the sort value and the id of a page's last item as opaque text, which only its list takes."""
    place = msgspec.msgpack.encode((value, id_))
    return base64.urlsafe_b64encode(_check(list_id, place) + place).rstrip(b"=").decode()


_decoder = msgspec.msgpack.Decoder(tuple[str | Annotated[int, _INTEGERS] | None, str])


def decode_cursor(list_id: str, cursor: str) -> tuple[Any, str]:
    """Read a cursor of the list *list_id*; raises InvalidError for any other text."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, place = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        decoded: tuple[Any, str] = _decoder.decode(place)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise _invalid() from error
    if check != _check(list_id, place):
        raise _invalid()
    return decoded


def _check(list_id: str, place: bytes) -> bytes:
    """Return what binds a place to its list; it guards against mistakes, for a cursor grants nothing."""
    return hashlib.blake2b(list_id.encode() + place, digest_size=_CHECK_BYTES).digest()


def _invalid() -> InvalidError:
    message = "this is no cursor of this list: use the nextCursor of a page with the same filters and order"
    return InvalidError(message, code="invalid_cursor", pointer="/cursor")
