"""Reviews of a project."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_project
from projections.queries.page import Page, PageRequest, read_page
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
        query = Query(
            collection="reviews",
            where=(Equals("projectId", project_id),),
            sort="createdAt",
            descending=True,
        )
        found = read_page(self._store, query, page)
        return Page(items=self._with_people(found.items), next_cursor=found.next_cursor)

    def get(self, project_id: str, review_id: str, actor: Actor) -> Document:
        """Return a review with its first 1,000 comments, oldest first; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        review = self._store.get("reviews", review_id)
        if review is None or review["projectId"] != project_id:
            raise NotFoundError(f"there is no review {review_id} in this project", code="review_not_found")
        comments = self._store.find(
            Query(
                collection="comments",
                where=(Equals("reviewId", review_id),),
                sort="number",
                limit=_COMMENTS,
            )
        )
        return {**self._with_people([review])[0], "comments": self._with_people(comments)}

    def _with_people(self, items: list[Document]) -> list[Document]:
        """Show the author of each with a name."""
        names = names_of(self._store, {item["authorId"] for item in items})
        return [
            {**item, "author": {"id": item["authorId"], "name": names[item["authorId"]]}} for item in items
        ]
