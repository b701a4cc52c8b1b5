"""The reviews of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.budget import PAGE_BYTES
from projections.models.reviews import COMMENTS, REVIEWS
from projections.queries.access import visible_ids, visible_project
from projections.queries.page import Page, PageRequest, read_page, read_pages
from projections.queries.people import names_of
from projections.store import CutShort, DocumentStore, Equals, Query
from projections.writes import Document

_COMMENTS_SHOWN = 1_000


class ReviewQueries:
    """Find reviews of projects that the actor may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of reviews, newest first, without their comments; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        reviews = read_page(self._store, _of_project(project_id), page)
        return reviews.with_items(self._with_authors(reviews.items))

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        ids = visible_ids(self._store, project_ids, actor)
        pages = read_pages(self._store, [_of_project(id_) for id_ in ids], page)
        shown = iter(self._with_authors([review for of_project in pages for review in of_project.items]))
        return {
            id_: of_project.with_items([next(shown) for _ in of_project.items])
            for id_, of_project in zip(ids, pages, strict=True)
        }

    def many(self, review_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return those reviews, without their comments, that belong to projects that *actor* may see."""
        reviews = self._store.get_many(REVIEWS, review_ids).values()
        visible = set(visible_ids(self._store, list({review["projectId"] for review in reviews}), actor))
        shown = self._with_authors([review for review in reviews if review["projectId"] in visible])
        return {review["id"]: review for review in shown}

    def comments(self, review_ids: Sequence[str]) -> dict[str, Document]:
        """Return the first comments, oldest first, of each review; the caller may see the reviews."""
        share = max(PAGE_BYTES // max(len(review_ids), 1), 1)
        threads = self._store.find_many([_comments_on(id_, share) for id_ in review_ids])
        shown = iter(self._with_authors([comment for thread in threads for comment in _first(thread)]))
        return {
            id_: _thread(thread, [next(shown) for _ in _first(thread)])
            for id_, thread in zip(review_ids, threads, strict=True)
        }

    def get(self, project_id: str, review_id: str, actor: Actor) -> Document:
        """Return a review with its first comments, oldest first; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        review = self._store.get(REVIEWS, review_id)
        if review is None or review["projectId"] != project_id:
            raise NotFoundError(f"there is no review {review_id} in this project", code="review_not_found")
        comments = self._store.find(_comments_on(review_id, PAGE_BYTES))
        thread = _thread(comments, self._with_authors(_first(comments)))
        return {**self._with_authors([review])[0], **thread}

    def _with_authors(self, documents: list[Document]) -> list[Document]:
        """Add the author's id and name to each document."""
        names = names_of(self._store, {document["authorId"] for document in documents})
        return [
            {**document, "author": {"id": document["authorId"], "name": names[document["authorId"]]}}
            for document in documents
        ]


def _first(comments: list[Document]) -> list[Document]:
    return comments[:_COMMENTS_SHOWN]


def _thread(comments: list[Document], shown: list[Document]) -> Document:
    """Return the comments that an answer shows: the first 1,000, and no more than some megabytes."""
    if len(shown) == len(comments) and not isinstance(comments, CutShort):
        return {"comments": shown}
    return {"comments": shown, "commentsTruncated": True}


def _of_project(project_id: str) -> Query:
    where = (Equals("projectId", project_id),)
    return Query(collection=REVIEWS, where=where, sort="createdAt", descending=True)


def _comments_on(review_id: str, most_bytes: int) -> Query:
    where = (Equals("reviewId", review_id),)
    return Query(
        collection=COMMENTS, where=where, sort="number", limit=_COMMENTS_SHOWN + 1, most_bytes=most_bytes
    )
