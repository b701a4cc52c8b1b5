"""The reviews of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.models.reviews import COMMENTS, REVIEWS
from projections.queries.access import (
    is_seen,
    seen_by,
    seen_history,
    shown,
    visible_project,
    visible_projects,
)
from projections.queries.page import Page, PageRequest, read_page, read_pages
from projections.queries.people import names_of
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_COMMENTS_SHOWN = 1_000


class ReviewQueries:
    """Find reviews of projects that the actor may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of reviews, newest first, without their comments; raises NotFoundError."""
        project = visible_project(self._store, project_id, actor)
        reviews = read_page(self._store, _of_project(project, actor), page)
        items = [_seen_decisions(review, project, actor) for review in reviews.items]
        return Page(items=self._with_authors(items), next_cursor=reviews.next_cursor)

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        projects = visible_projects(self._store, project_ids, actor)
        queries = [_of_project(project, actor) for project in projects.values()]
        pages = read_pages(self._store, queries, page)
        reviews = [review for of_project in pages for review in of_project.items]
        seen = [_seen_decisions(review, projects[review["projectId"]], actor) for review in reviews]
        documents = iter(self._with_authors(seen))
        return {
            id_: Page(items=[next(documents) for _ in of_project.items], next_cursor=of_project.next_cursor)
            for id_, of_project in zip(projects, pages, strict=True)
        }

    def many(self, review_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return those reviews, without their comments, that belong to projects that *actor* may see."""
        reviews = self._store.get_many(REVIEWS, review_ids).values()
        visible = visible_projects(self._store, list({review["projectId"] for review in reviews}), actor)
        seen = [
            _seen_decisions(review, visible[review["projectId"]], actor)
            for review in reviews
            if review["projectId"] in visible and is_seen(visible[review["projectId"]], actor, review)
        ]
        return {review["id"]: review for review in self._with_authors(seen)}

    def comments(self, review_ids: Sequence[str], actor: Actor) -> dict[str, list[Document]]:
        """Return the first 1,000 comments, oldest first, of each review that *actor* may see."""
        reviews = self._store.get_many(REVIEWS, review_ids)
        visible = visible_projects(
            self._store, list({review["projectId"] for review in reviews.values()}), actor
        )
        projects = {
            id_: visible[review["projectId"]]
            for id_, review in reviews.items()
            if review["projectId"] in visible
        }
        queries = [_comments_on(id_, project, actor) for id_, project in projects.items()]
        threads = self._store.find_many(queries)
        documents = iter(self._with_authors([comment for thread in threads for comment in thread]))
        return {id_: [next(documents) for _ in thread] for id_, thread in zip(projects, threads, strict=True)}

    def get(self, project_id: str, review_id: str, actor: Actor) -> Document:
        """Return a review with its first 1,000 comments, oldest first; raises NotFoundError."""
        project = visible_project(self._store, project_id, actor)
        review = self._store.get(REVIEWS, review_id)
        if review is None or review["projectId"] != project_id or not is_seen(project, actor, review):
            raise NotFoundError(f"there is no review {review_id} in this project", code="review_not_found")
        comments = self._store.find(_comments_on(review_id, project, actor))
        seen = _seen_decisions(review, project, actor)
        return {**self._with_authors([seen])[0], "comments": self._with_authors(comments)}

    def _with_authors(self, documents: list[Document]) -> list[Document]:
        """Add the author's id and name to each document."""
        names = names_of(self._store, {document["authorId"] for document in documents})
        return [
            {**shown(document), "author": {"id": document["authorId"], "name": names[document["authorId"]]}}
            for document in documents
        ]


def _seen_decisions(review: Document, project: Document, actor: Actor) -> Document:
    """Return the review with those decisions that *actor* sees."""
    history = seen_history(project, actor)
    decisions = [shown(each) for each in review["decisions"] if history.includes(each["sequence"])]
    return {**review, "decisions": decisions}


def _of_project(project: Document, actor: Actor) -> Query:
    where = (Equals("projectId", project["id"]), *seen_by(project, actor))
    return Query(collection=REVIEWS, where=where, sort="createdAt", descending=True)


def _comments_on(review_id: str, project: Document, actor: Actor) -> Query:
    where = (Equals("reviewId", review_id), *seen_by(project, actor))
    return Query(collection=COMMENTS, where=where, sort="number", limit=_COMMENTS_SHOWN)
