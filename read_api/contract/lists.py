"""Lists: their query parameters, their body, their `Link` header."""

from typing import Annotated, Any, dataclass_transform
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from projections.queries.page import Page, PageRequest
from read_api.gateway.call import Answer, Call, pick

Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=r"^[A-Za-z0-9_-]+$")]
Fields = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=r"^[A-Za-z]+(,[A-Za-z]+)*$")]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class ListQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """What every list takes."""

    limit: Limit = 20
    cursor: Cursor | None = None
    fields: Fields | None = None

    def page(self) -> PageRequest:
        """Return how many items from where."""
        return PageRequest(limit=self.limit, cursor=self.cursor)


def listed(call: Call, path: str, page: Page, wanted: str | None) -> Answer:
    """Answer with a page; `Link` leads to the next one (RFC 8288)."""
    items: list[dict[str, Any]] = page.items
    if wanted is not None:
        items = [pick(item, wanted) for item in items]
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if page.next_cursor is not None:
        query = urlencode({**call.query, "cursor": page.next_cursor})
        headers["Link"] = f'<{path}?{query}>; rel="next"'
    return Answer(body=msgspec.json.encode({"items": items, "nextCursor": page.next_cursor}), headers=headers)
