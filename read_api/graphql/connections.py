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

    def cursor(index: int) -> str:
        return page.cursor(*place_of(page.items[index]))

    return _Connection(page.items, cursor, after, page.next_cursor)


def event_connection(page: EventPage, *, after: str | None) -> Document:
    """Return a page of events, which follows the position *after*, as a connection."""
    documents = [msgspec.json.decode(event.json) for event in page.events]
    cursors = page.cursors or [event.token for event in page.events]
    token = page.position.token()
    last = token if page.cursors is None else page.cursors[-1]
    return _Connection(documents, cursors.__getitem__, after, page.next_cursor, last=last, position=token)


class _Connection(dict[str, Any]):
    """A page as a connection, whose edges and page information are made when the query shows them.

    A cursor costs as much as the place that it names is long: of a file, that is its path. Nothing here
    refers back to the connection: a circle of references would keep megabytes until it is collected.
    """

    _MADE_WHEN_SHOWN = ("edges", "pageInfo")

    def __init__(
        self,
        nodes: list[Document],
        cursor: Callable[[int], str],
        after: str | None,
        next_cursor: str | None,
        *,
        last: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(nodes=nodes, **more)
        self._cursor = cursor
        self._after = after
        self._next_cursor = next_cursor
        self._last = last

    def __missing__(self, key: str) -> Any:
        if key not in self._MADE_WHEN_SHOWN:
            raise KeyError(key)
        value = self[key] = self._edges() if key == "edges" else self._page_info()
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """Return what the connection has under *key*, *default* where it has nothing."""
        return self[key] if key in self or key in self._MADE_WHEN_SHOWN else default

    def _edges(self) -> list[Document]:
        return [{"cursor": self._cursor(index), "node": node} for index, node in enumerate(self["nodes"])]

    def _page_info(self) -> Document:
        count = len(self["nodes"])
        end = self._next_cursor or self._last or (self._cursor(count - 1) if count else None)
        return {
            "hasNextPage": self._next_cursor is not None,
            "hasPreviousPage": self._after is not None,
            "startCursor": self._cursor(0) if count else None,
            "endCursor": end,
        }


def by(field: str) -> PlaceOf:
    """Return where an item is in a list that is sorted by *field*."""
    return lambda item: (item.get(field), item["id"])
