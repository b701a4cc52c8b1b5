"""Builds of a project."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_project
from projections.queries.page import Page, PageRequest, read_page
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document


class BuildQueries:
    """Find builds of projects that somebody may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of builds, the newest first; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        where = (Equals("projectId", project_id),)
        query = Query(collection="builds", where=where, sort="createdAt", descending=True)
        return read_page(self._store, query, page)

    def get(self, project_id: str, build_id: str, actor: Actor) -> Document:
        """Return a build; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        build = self._store.get("builds", build_id)
        if build is None or build["projectId"] != project_id:
            raise NotFoundError(f"there is no build {build_id} in this project", code="build_not_found")
        return build
