"""Commits of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_ids, visible_project
from projections.queries.page import Page, PageRequest, read_page, read_pages
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
        return _listed(read_page(self._store, _of(project_id, path), page))

    def pages(
        self, project_ids: Sequence[str], path: str | None, page: PageRequest, actor: Actor
    ) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        ids = visible_ids(self._store, project_ids, actor)
        found = read_pages(self._store, [_of(id_, path) for id_ in ids], page)
        return {id_: _listed(part) for id_, part in zip(ids, found, strict=True)}

    def get(self, project_id: str, sha: str, actor: Actor) -> Document:
        """Return a commit with its changes; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        found = self._store.get("commits", f"{project_id}/{sha}")
        if found is None:
            raise NotFoundError(f"there is no commit {sha} in this project", code="commit_not_found")
        return _whole(found)

    def many(self, keys: Sequence[tuple[str, str]], actor: Actor) -> dict[tuple[str, str], Document]:
        """Return the commits (project, sha), with their changes, that exist and that *actor* may see."""
        seen = set(visible_ids(self._store, list({project_id for project_id, _ in keys}), actor))
        ids = {f"{project_id}/{sha}": (project_id, sha) for project_id, sha in keys if project_id in seen}
        return {ids[id_]: _whole(found) for id_, found in self._store.get_many("commits", list(ids)).items()}


def _of(project_id: str, path: str | None) -> Query:
    where: tuple[Condition, ...] = (Equals("projectId", project_id),)
    if path is not None:
        where = (*where, Equals("changes.path", path), StartsWith("id", f"{project_id}/"))
    return Query(collection="commits", where=where, sort="number", descending=True)


def _listed(page: Page) -> Page:
    items = [{name: item[name] for name in _SHOWN} for item in page.items]
    return Page(items=items, next_cursor=page.next_cursor)


def _whole(commit: Document) -> Document:
    return {name: commit[name] for name in (*_SHOWN, "changes", "recordedAt")}
