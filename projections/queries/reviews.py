"""The reviews of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from domain.project.private_time import EVERYTHING
from projections.budget import PAGE_BYTES
from projections.models.projects import PROJECTS
from projections.models.reviews import COMMENTS, REVIEWS
from projections.queries.access import (
    is_seen,
    may_see,
    seen_by,
    seen_history,
    shown,
    visible_project,
    visible_projects,
)
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
        project = visible_project(self._store, project_id, actor)
        reviews = read_page(self._store, _of_project(project, actor), page)
        items = [_seen_decisions(review, project, actor) for review in reviews.items]
        return reviews.with_items(self._with_authors(items))

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        projects = visible_projects(self._store, project_ids, actor)
        queries = [_of_project(project, actor) for project in projects.values()]
        pages = read_pages(self._store, queries, page)
        reviews = [review for of_project in pages for review in of_project.items]
        seen = [_seen_decisions(review, projects[review["projectId"]], actor) for review in reviews]
        documents = iter(self._with_authors(seen))
        return {
            id_: of_project.with_items([next(documents) for _ in of_project.items])
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

    def comments(self, review_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return the first comments, oldest first, of each review that *actor* may see."""
        projects = self._projects_of(review_ids, actor)
        share = max(PAGE_BYTES // max(len(projects), 1), 1)
        queries = [_comments_on(id_, project, actor, share) for id_, project in projects.items()]
        threads = self._store.find_many(queries)
        documents = iter(self._with_authors([comment for thread in threads for comment in _first(thread)]))
        return {
            id_: _thread(thread, [next(documents) for _ in _first(thread)])
            for id_, thread in zip(projects, threads, strict=True)
        }

    def _projects_of(self, review_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return the projects of those reviews whose project *actor* may see, by review."""
        reviews = self._store.get_many(REVIEWS, review_ids)
        ids = list({review["projectId"] for review in reviews.values()})
        visible = visible_projects(self._store, ids, actor)
        return {
            id_: visible[review["projectId"]]
            for id_, review in reviews.items()
            if review["projectId"] in visible
        }

    def get(self, project_id: str, review_id: str, actor: Actor) -> Document:
        """Return a review with its first comments, oldest first; raises NotFoundError."""
        project = visible_project(self._store, project_id, actor)
        review = self._store.get(REVIEWS, review_id)
        if review is None or review["projectId"] != project_id or not is_seen(project, actor, review):
            raise NotFoundError(f"there is no review {review_id} in this project", code="review_not_found")
        comments = self._store.find(_comments_on(review_id, project, actor, PAGE_BYTES))
        thread = _thread(comments, self._with_authors(_first(comments)))
        return {**self._with_authors([_seen_decisions(review, project, actor)])[0], **thread}

    def hides_some(self, project_id: str, version: int, actor: Actor) -> bool:
        """Return whether *actor* may not see all of the project's history, or does not see it now.

        So it may be where the store does not have the project at *version*.
        """
        project = self._store.get(PROJECTS, project_id)
        if project is None or project["version"] < version:
            return version > 0
        return seen_history(project, actor) != EVERYTHING

    def hidden(self, project_id: str, review_ids: Sequence[str], actor: Actor) -> set[str]:
        """Return those of the project's reviews that *actor* does not see, who sees the project.

        Of a project that they do not see, there are none: the project is not there for them.
        """
        project = self._store.get(PROJECTS, project_id)
        if project is None or not may_see(project, actor):
            return set()
        return {
            id_
            for id_, review in self._store.get_many(REVIEWS, review_ids).items()
            if review["projectId"] == project_id and not is_seen(project, actor, review)
        }

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


def _first(comments: list[Document]) -> list[Document]:
    return comments[:_COMMENTS_SHOWN]


def _thread(comments: list[Document], shown: list[Document]) -> Document:
    """Return the comments that an answer shows: the first 1,000, and no more than some megabytes."""
    if len(shown) == len(comments) and not isinstance(comments, CutShort):
        return {"comments": shown}
    return {"comments": shown, "commentsTruncated": True}


def _of_project(project: Document, actor: Actor) -> Query:
    where = (Equals("projectId", project["id"]), *seen_by(project, actor))
    return Query(collection=REVIEWS, where=where, sort="createdAt", descending=True)


def _comments_on(review_id: str, project: Document, actor: Actor, most_bytes: int) -> Query:
    where = (Equals("reviewId", review_id), *seen_by(project, actor))
    return Query(
        collection=COMMENTS, where=where, sort="number", limit=_COMMENTS_SHOWN + 1, most_bytes=most_bytes
    )
