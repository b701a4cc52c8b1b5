"""A page as a connection: cursors are made for who asks for them, and nothing outlives the answer."""

import gc
import weakref

import pytest

from projections.queries.page import Page, decode_cursor
from read_api.graphql.connections import by, connection

ITEMS = [{"id": f"{n}", "name": f"n{n}"} for n in range(3)]


def shown(after=None, items=ITEMS, next_cursor="next"):
    return connection(Page(items=items, next_cursor=next_cursor, list_id="list"), by("name"), after=after)


def test_the_nodes_alone_need_no_cursor():
    def place_of(_):
        raise AssertionError

    page = Page(items=ITEMS, next_cursor=None, list_id="list")
    assert connection(page, place_of, after=None)["nodes"] == ITEMS


def test_edges_and_page_information_are_made_when_they_are_shown():
    page = shown(after="before")
    assert [edge["node"] for edge in page["edges"]] == ITEMS
    assert [decode_cursor("list", edge["cursor"]) for edge in page.get("edges")] == [
        (item["name"], item["id"]) for item in ITEMS
    ]
    assert page.get("pageInfo") == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": page["edges"][0]["cursor"],
        "endCursor": "next",
    }
    assert page.get("something else") is None
    with pytest.raises(KeyError):
        page["something else"]


def test_an_empty_page_has_no_cursors():
    page = shown(items=[], next_cursor=None)
    assert (page["edges"], page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"]) == ([], None, None)


def test_a_connection_goes_with_its_answer():
    """The collector comes seldom: what waits for it may be megabytes for each request."""
    gc.disable()
    try:
        page = shown()
        assert page["edges"]
        assert page["pageInfo"]
        gone = weakref.ref(page)
        del page
        assert gone() is None
    finally:
        gc.enable()
