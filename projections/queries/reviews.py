"""Reviews of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_ids, visible_project
from projections.queries.page import Page, PageRequest, read_page, read_pages
from projections.queries.people import names_of
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_COMMENTS = 1_000


class ReviewQueries:
    """Find reviews of projects that somebody may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of reviews, the newest first, without their comments; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        found = read_page(self._store, _of(project_id), page)
        return Page(items=self._with_people(found.items), next_cursor=found.next_cursor)

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        ids = visible_ids(self._store, project_ids, actor)
        found = read_pages(self._store, [_of(id_) for id_ in ids], page)
        shown = iter(self._with_people([item for part in found for item in part.items]))
        return {
            id_: Page(items=[next(shown) for _ in part.items], next_cursor=part.next_cursor)
            for id_, part in zip(ids, found, strict=True)
        }

    def many(self, review_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return those reviews, without their comments, that are in projects that *actor* may see."""
        found = self._store.get_many("reviews", review_ids)
        seen = set(visible_ids(self._store, list({item["projectId"] for item in found.values()}), actor))
        shown = self._with_people([item for item in found.values() if item["projectId"] in seen])
        return {item["id"]: item for item in shown}

    def comments(self, review_ids: Sequence[str]) -> dict[str, list[Document]]:
        """Return the first 1,000 comments of each review, oldest first; the caller has seen the reviews."""
        found = self._store.find_many([_comments_on(id_) for id_ in review_ids])
        shown = iter(self._with_people([item for part in found for item in part]))
        return {id_: [next(shown) for _ in part] for id_, part in zip(review_ids, found, strict=True)}

    def get(self, project_id: str, review_id: str, actor: Actor) -> Document:
        """Return a review with its first 1,000 comments, oldest first; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        review = self._store.get("reviews", review_id)
        if review is None or review["projectId"] != project_id:
            raise NotFoundError(f"there is no review {review_id} in this project", code="review_not_found")
        comments = self._store.find(_comments_on(review_id))
        return {**self._with_people([review])[0], "comments": self._with_people(comments)}

    def _with_people(self, items: list[Document]) -> list[Document]:
        """Show the author of each with a name."""
        names = names_of(self._store, {item["authorId"] for item in items})
        return [
            {**item, "author": {"id": item["authorId"], "name": names[item["authorId"]]}} for item in items
        ]


def _of(project_id: str) -> Query:
    where = (Equals("projectId", project_id),)
    return Query(collection="reviews", where=where, sort="createdAt", descending=True)


def _comments_on(review_id: str) -> Query:
    where = (Equals("reviewId", review_id),)
    return Query(collection="comments", where=where, sort="number", limit=_COMMENTS)
