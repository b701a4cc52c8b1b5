"""Pages that end by bytes, and what a request may read."""

import pytest

from projections.budget import Budget, OverBudgetError, budgeted
from projections.queries.page import PageRequest, read_page, read_pages
from projections.store import CutShort, Equals, Query

from .samples import note, put

LARGE = 60_000
ALL = Query(collection="notes", sort="rank")


@pytest.fixture
def large(store):
    """Fill the store with ten documents of two sizes, together larger than a megabyte."""
    put(
        store,
        [note(str(n), rank=n, group="ab"[n % 2], text="é" * (LARGE if n != 4 else 10)) for n in range(10)],
    )
    return store


@pytest.mark.parametrize("descending", [False, True])
def test_an_answer_ends_before_the_document_that_passes_its_bytes(large, descending):
    query = Query(collection="notes", sort="rank", descending=descending, most_bytes=3 * LARGE)
    documents = large.find(query)
    assert isinstance(documents, CutShort)
    assert 1 <= len(documents) <= 3
    assert [d["rank"] for d in documents] == sorted(range(10), reverse=descending)[: len(documents)]


def test_the_first_document_is_there_however_large_it_is(large):
    documents = large.find(Query(collection="notes", sort="rank", most_bytes=1))
    assert ([d["id"] for d in documents], type(documents)) == (["0"], CutShort)


def test_an_answer_that_stays_within_its_bytes_is_not_cut_short(large):
    documents = large.find(Query(collection="notes", sort="rank", most_bytes=100 * LARGE))
    assert (len(documents), type(documents)) == (10, list)


def test_of_several_scopes_none_hides_what_another_had_no_room_for(large):
    """One scope has small documents far behind the large ones of the other."""
    put(large, [note(f"s{n}", rank=100 + n, group="c") for n in range(5)], start=100)
    scopes = ((Equals("group", "c"),), (Equals("group", "a"),), (Equals("group", "b"),))
    query = Query(collection="notes", sort="rank", scopes=scopes, limit=30, most_bytes=2 * LARGE)
    seen = []
    while True:
        documents = large.find(query)
        seen += [d["id"] for d in documents]
        if not isinstance(documents, CutShort):
            break
        query = Query(
            collection="notes",
            sort="rank",
            scopes=scopes,
            limit=30,
            most_bytes=2 * LARGE,
            after=(documents[-1]["rank"], documents[-1]["id"]),
        )
    assert seen == [*map(str, range(10)), *(f"s{n}" for n in range(5))]


def test_the_pages_of_a_list_show_every_document_once(large, monkeypatch):
    monkeypatch.setattr("projections.queries.page.PAGE_BYTES", 3 * LARGE)
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = read_page(large, ALL, PageRequest(limit=4, cursor=cursor))
        assert 1 <= len(page.items) <= 4
        seen += [d["rank"] for d in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert (seen, pages > 3) == (list(range(10)), True)


def test_the_pages_of_several_lists_share_the_bytes(large, monkeypatch):
    monkeypatch.setattr("projections.queries.page.PAGE_BYTES", 2 * LARGE)
    queries = [Query(collection="notes", where=(Equals("group", group),), sort="rank") for group in "ab"]
    pages = read_pages(large, queries, PageRequest(limit=10))
    assert [len(page.items) for page in pages] == [1, 1]
    assert all(page.next_cursor is not None for page in pages)


def test_a_request_that_has_read_too_much_reads_nothing_more(large):
    ids = [str(n) for n in range(10) if n != 4]
    with budgeted(Budget(read=20 * LARGE)) as budget:
        assert len(large.get_many("notes", ids[:3])) == 3
        with pytest.raises(OverBudgetError):
            large.get_many("notes", ids)
        with pytest.raises(OverBudgetError):
            large.get("notes", "4")
        with pytest.raises(OverBudgetError):
            large.find(ALL)
    assert budget.ended
    assert len(large.get_many("notes", ids)) == 9
