"""Relay connections over the pages of the query objects."""

from collections.abc import Callable
from typing import Any

import graphene

from projections.queries.page import Page, encode_cursor
from projections.writes import Document

CursorOf = Callable[[Document], str]

AFTER = {"limit": "first", "cursor": "after"}
"""What the arguments of the REST lists are called in a connection."""


class PageInfo(graphene.ObjectType):  # type: ignore[misc] # graphene has no types
    """Where a page lies in its list."""

    hasNextPage = graphene.Boolean(required=True)  # noqa: N815 # the name that Relay gives it
    hasPreviousPage = graphene.Boolean(required=True)  # noqa: N815
    startCursor = graphene.String()  # noqa: N815
    endCursor = graphene.String()  # noqa: N815


def connection_of(node: Any, **more: Any) -> Any:
    """Return the connection type of *node*: edges with cursors, the nodes alone, and where the page lies."""
    name = node._meta.name  # noqa: SLF001 # graphene's way to tell it
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "__doc__": "An item of a page, and its place.",
            "cursor": graphene.String(required=True),
            "node": graphene.Field(node, required=True),
        },
    )
    return type(
        f"{name}Connection",
        (graphene.ObjectType,),
        {
            "__doc__": "A page of a list.",
            "edges": graphene.List(graphene.NonNull(edge), required=True),
            "nodes": graphene.List(graphene.NonNull(node), required=True),
            "pageInfo": graphene.Field(PageInfo, required=True),
            **more,
        },
    )


def connection(page: Page, cursor_of: CursorOf, *, after: str | None) -> Document:
    """Return *page*, which lies behind *after*, as its connection."""
    cursors = [cursor_of(item) for item in page.items]
    return {
        "edges": [{"cursor": at, "node": item} for at, item in zip(cursors, page.items, strict=True)],
        "nodes": page.items,
        "pageInfo": {
            "hasNextPage": page.next_cursor is not None,
            "hasPreviousPage": after is not None,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": page.next_cursor or (cursors[-1] if cursors else None),
        },
    }


def by(field: str) -> CursorOf:
    """Return how a list that is sorted by *field* names the place of an item."""
    return lambda item: encode_cursor(item.get(field), item["id"])
