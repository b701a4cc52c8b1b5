"""The builds of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.models.builds import BUILDS
from projections.queries.access import is_seen, seen_by, shown, visible_project, visible_projects
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
        project = visible_project(self._store, project_id, actor)
        return _shown(read_page(self._store, _of_project(project, actor), page))

    def pages(self, project_ids: Sequence[str], page: PageRequest, actor: Actor) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        projects = visible_projects(self._store, project_ids, actor)
        queries = [_of_project(project, actor) for project in projects.values()]
        pages = read_pages(self._store, queries, page)
        return {id_: _shown(of_project) for id_, of_project in zip(projects, pages, strict=True)}

    def many(self, build_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return those builds that belong to projects that *actor* may see."""
        builds = self._store.get_many(BUILDS, build_ids)
        project_ids = list({build["projectId"] for build in builds.values()})
        visible = visible_projects(self._store, project_ids, actor)
        return {
            id_: shown(build)
            for id_, build in builds.items()
            if build["projectId"] in visible and is_seen(visible[build["projectId"]], actor, build)
        }

    def get(self, project_id: str, build_id: str, actor: Actor) -> Document:
        """Return a build; raises NotFoundError."""
        project = visible_project(self._store, project_id, actor)
        build = self._store.get(BUILDS, build_id)
        if build is None or build["projectId"] != project_id or not is_seen(project, actor, build):
            raise NotFoundError(f"there is no build {build_id} in this project", code="build_not_found")
        return shown(build)


def _shown(page: Page) -> Page:
    return Page(items=[shown(build) for build in page.items], next_cursor=page.next_cursor)


def _of_project(project: Document, actor: Actor) -> Query:
    where = (Equals("projectId", project["id"]), *seen_by(project, actor))
    return Query(collection=BUILDS, where=where, sort="createdAt", descending=True)
