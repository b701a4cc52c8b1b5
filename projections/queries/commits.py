"""Commits of a project."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_project
from projections.queries.page import Page, PageRequest, read_page
from projections.store import Condition, DocumentStore, Equals, Query, StartsWith
from projections.writes import Document

_SHOWN = ("sha", "message", "author", "authoredAt", "parents", "version")


class CommitQueries:
    """Find commits of projects that somebody may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, path: str | None, page: PageRequest, actor: Actor) -> Page:
        """Return a page of commits, the newest first, or those that touched *path*; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        where: tuple[Condition, ...] = (Equals("projectId", project_id),)
        if path is not None:
            where = (*where, Equals("changes.path", path), StartsWith("id", f"{project_id}/"))
        query = Query(collection="commits", where=where, sort="number", descending=True)
        found = read_page(self._store, query, page)
        items = [{name: item[name] for name in _SHOWN} for item in found.items]
        return Page(items=items, next_cursor=found.next_cursor)

    def get(self, project_id: str, sha: str, actor: Actor) -> Document:
        """Return a commit with its changes; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        found = self._store.get("commits", f"{project_id}/{sha}")
        if found is None:
            raise NotFoundError(f"there is no commit {sha} in this project", code="commit_not_found")
        return {name: found[name] for name in (*_SHOWN, "changes", "recordedAt")}
