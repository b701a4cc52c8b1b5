"""Builds of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_ids, visible_project
from projections.queries.page import Page, PageRequest, read_page, read_pages
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
        return read_page(self._store, _of(project_id), page)

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        ids = visible_ids(self._store, project_ids, actor)
        return dict(zip(ids, read_pages(self._store, [_of(id_) for id_ in ids], page), strict=True))

    def many(self, build_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return those builds that are in projects that *actor* may see."""
        found = self._store.get_many("builds", build_ids)
        seen = set(visible_ids(self._store, list({build["projectId"] for build in found.values()}), actor))
        return {id_: build for id_, build in found.items() if build["projectId"] in seen}

    def get(self, project_id: str, build_id: str, actor: Actor) -> Document:
        """Return a build; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        build = self._store.get("builds", build_id)
        if build is None or build["projectId"] != project_id:
            raise NotFoundError(f"there is no build {build_id} in this project", code="build_not_found")
        return build


def _of(project_id: str) -> Query:
    where = (Equals("projectId", project_id),)
    return Query(collection="builds", where=where, sort="createdAt", descending=True)
