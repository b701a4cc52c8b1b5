"""Relay connections over the pages of the query objects, and over pages of events."""

from collections.abc import Callable
from typing import Any

import graphene
import msgspec

from projections.queries.page import Page, encode_cursor
from projections.writes import Document
from read_api.contract.events import EventPage

CursorOf = Callable[[Document], str]

AFTER = {"limit": "first", "cursor": "after"}
"""The names that the arguments of the REST lists have in a connection."""


class PageInfo(graphene.ObjectType):  # type: ignore[misc] # graphene has no types
    """Where a page lies in its list."""

    hasNextPage = graphene.Boolean(required=True)  # noqa: N815 # the name that Relay gives it
    hasPreviousPage = graphene.Boolean(required=True)  # noqa: N815
    startCursor = graphene.String()  # noqa: N815
    endCursor = graphene.String()  # noqa: N815


def connection_of(node: Any, **more: Any) -> Any:
    """Return the connection type of *node*: edges with cursors, the nodes alone, and where the page lies."""
    name = node._meta.name  # noqa: SLF001 # graphene offers no other way
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "__doc__": "An item of a page with its cursor.",
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
    """Return *page*, which follows the cursor *after*, as a connection."""
    cursors = [cursor_of(item) for item in page.items]
    return _connection(page.items, cursors, after, page.next_cursor, cursors[-1] if cursors else None)


def event_connection(page: EventPage, *, after: str | None) -> Document:
    """Return a page of events, which follows the position *after*, as a connection."""
    documents = [msgspec.json.decode(event.json) for event in page.events]
    cursors = [event.token for event in page.events]
    token = page.position.token()
    edges_and_nodes = _connection(documents, cursors, after, token if page.more else None, token)
    return {**edges_and_nodes, "position": token}


def _connection(
    nodes: list[Document], cursors: list[str], after: str | None, next_cursor: str | None, last: str | None
) -> Document:
    return {
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
        "nodes": nodes,
        "pageInfo": {
            "hasNextPage": next_cursor is not None,
            "hasPreviousPage": after is not None,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": next_cursor or last,
        },
    }


def by(field: str) -> CursorOf:
    """Return how the cursor of an item is made, in a list that is sorted by *field*."""
    return lambda item: encode_cursor(item.get(field), item["id"])
