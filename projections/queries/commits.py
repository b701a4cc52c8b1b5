"""The commits of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.budget import PAGE_BYTES
from projections.models.commits import COMMITS, TIMELINE
from projections.queries.access import is_seen, seen_by, visible_project, visible_projects
from projections.queries.page import Page, PageRequest, read_page, read_pages
from projections.store import Above, Condition, CutShort, DocumentStore, Equals, Query, StartsWith
from projections.writes import Document

_POINT = ("sha", "number", "title", "authorName", "authoredAt", "recordedAt", "end")
_LISTED = ("sha", "message", "author", "authoredAt", "parents", "version")
_WHOLE = (*_LISTED, "changes", "recordedAt")


class CommitQueries:
    """Find commits of projects that the actor may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, path: str | None, page: PageRequest, actor: Actor) -> Page:
        """Return a page of commits, newest first, or of those that touched *path*; raises NotFoundError."""
        project = visible_project(self._store, project_id, actor)
        return _listed(read_page(self._store, _of_project(project, path, actor), page))

    def pages(
        self, project_ids: Sequence[str], path: str | None, page: PageRequest, actor: Actor
    ) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        projects = visible_projects(self._store, project_ids, actor)
        queries = [_of_project(project, path, actor) for project in projects.values()]
        pages = read_pages(self._store, queries, page)
        return {id_: _listed(of_project) for id_, of_project in zip(projects, pages, strict=True)}

    def timeline(self, project_id: str, first: int, limit: int, actor: Actor) -> tuple[list[Document], bool]:
        """Return commits from number *first* on, oldest first, in few words; and whether there are more.

        The `end` of each is the sequence of the last event that it caused. Raises NotFoundError.
        """
        project = visible_project(self._store, project_id, actor)
        where = (Equals("projectId", project_id), Above("number", first - 1), *seen_by(project, actor))
        query = Query(
            collection=TIMELINE,
            where=where,
            sort="number",
            limit=limit + 1,
            most_bytes=PAGE_BYTES,
        )
        commits = self._store.find(query)
        more = len(commits) > limit or isinstance(commits, CutShort)
        return [{name: commit[name] for name in _POINT} for commit in commits[:limit]], more

    def get(self, project_id: str, sha: str, actor: Actor) -> Document:
        """Return a commit with its changes; raises NotFoundError."""
        project = visible_project(self._store, project_id, actor)
        commit = self._store.get(COMMITS, f"{project_id}/{sha}")
        if commit is None or not is_seen(project, actor, commit):
            raise NotFoundError(f"there is no commit {sha} in this project", code="commit_not_found")
        return _whole(commit)

    def many(self, keys: Sequence[tuple[str, str]], actor: Actor) -> dict[tuple[str, str], Document]:
        """Return, by (project, sha), the commits with their changes that exist and that *actor* may see."""
        project_ids = list({project_id for project_id, _ in keys})
        visible = visible_projects(self._store, project_ids, actor)
        ids = {f"{project_id}/{sha}": (project_id, sha) for project_id, sha in keys if project_id in visible}
        commits = self._store.get_many(COMMITS, list(ids))
        return {
            ids[id_]: _whole(commit)
            for id_, commit in commits.items()
            if is_seen(visible[commit["projectId"]], actor, commit)
        }


def _of_project(project: Document, path: str | None, actor: Actor) -> Query:
    where: tuple[Condition, ...] = (Equals("projectId", project["id"]), *seen_by(project, actor))
    if path is not None:
        where = (*where, Equals("changes.path", path), StartsWith("id", f"{project['id']}/"))
    return Query(collection=COMMITS, where=where, sort="number", descending=True)


def _listed(page: Page) -> Page:
    commits = [{name: commit[name] for name in _LISTED} for commit in page.items]
    return page.with_items(commits)


def _whole(commit: Document) -> Document:
    return {name: commit[name] for name in _WHOLE}
