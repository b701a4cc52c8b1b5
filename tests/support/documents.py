"""Every document of a collection, for tests that compare two stores or two builds of a model."""

from collections.abc import Iterator

from projections.store import DocumentStore, Query
from projections.writes import Document

_PAGE = 1_000


def dump(store: DocumentStore, collection: str) -> Iterator[Document]:
    """Yield every document of *collection* in order of id, read in pages."""
    query = Query(collection=collection, limit=_PAGE)
    while page := store.find(query):
        yield from page
        last = page[-1]["id"]
        query = Query(collection=collection, limit=_PAGE, after=(last, last))
