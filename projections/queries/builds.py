"""The builds of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.models.builds import BUILDS
from projections.queries.access import visible_ids, visible_project
from projections.queries.page import Page, PageRequest, read_page, read_pages
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document


class BuildQueries:
    """Find builds of projects that the actor may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of builds, newest first; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        return read_page(self._store, _of_project(project_id), page)

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        ids = visible_ids(self._store, project_ids, actor)
        pages = read_pages(self._store, [_of_project(id_) for id_ in ids], page)
        return dict(zip(ids, pages, strict=True))

    def many(self, build_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return those builds that belong to projects that *actor* may see."""
        builds = self._store.get_many(BUILDS, build_ids)
        project_ids = list({build["projectId"] for build in builds.values()})
        visible = set(visible_ids(self._store, project_ids, actor))
        return {id_: build for id_, build in builds.items() if build["projectId"] in visible}

    def get(self, project_id: str, build_id: str, actor: Actor) -> Document:
        """Return a build; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        build = self._store.get(BUILDS, build_id)
        if build is None or build["projectId"] != project_id:
            raise NotFoundError(f"there is no build {build_id} in this project", code="build_not_found")
        return build


def _of_project(project_id: str) -> Query:
    where = (Equals("projectId", project_id),)
    return Query(collection=BUILDS, where=where, sort="createdAt", descending=True)
