"""Relay connections over the pages of the query objects, and over pages of events."""

from collections.abc import Callable
from typing import Any

import graphene
import msgspec

from projections.queries.page import Page
from projections.writes import Document
from read_api.contract.events import EventPage

PlaceOf = Callable[[Document], tuple[Any, str]]
"""From an item to its place in a list: the value that the list is sorted by, and the id."""

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


def connection(page: Page, place_of: PlaceOf, *, after: str | None) -> Document:
    """Return *page*, which follows the cursor *after*, as a connection."""
    cursors = [page.cursor(*place_of(item)) for item in page.items]
    return _connection(page.items, cursors, after, page.next_cursor, cursors[-1] if cursors else None)


def event_connection(page: EventPage, *, after: str | None) -> Document:
    """Return a page of events, which follows the position *after*, as a connection."""
    documents = [msgspec.json.decode(event.json) for event in page.events]
    cursors = page.cursors or [event.token for event in page.events]
    token = page.position.token()
    last = token if page.cursors is None else page.cursors[-1]
    edges_and_nodes = _connection(documents, cursors[: len(documents)], after, page.next_cursor, last)
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


def by(field: str) -> PlaceOf:
    """Return where an item is in a list that is sorted by *field*."""
    return lambda item: (item.get(field), item["id"])
