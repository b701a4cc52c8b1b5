"""Files of a project."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.access import visible_project
from projections.queries.page import Page, PageRequest, read_page
from projections.store import Condition, DocumentStore, Equals, Query, StartsWith
from projections.writes import Document


class FileQueries:
    """Find files of projects that somebody may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, prefix: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of files below *prefix*, by path; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        where: tuple[Condition, ...] = (Equals("projectId", project_id),)
        if prefix:
            where = (*where, StartsWith("path", prefix))
        found = read_page(self._store, Query(collection="files", where=where, sort="path"), page)
        items = [_listed(item) for item in found.items]
        return Page(items=items, next_cursor=found.next_cursor)

    def get(self, project_id: str, path: str, actor: Actor) -> Document:
        """Return a file with its content; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        file = self._store.get("files", f"{project_id}/{path}")
        content = self._store.get("contents", f"{project_id}/{path}")
        if file is None or content is None:
            raise NotFoundError(f"there is no file {path} in this project", code="file_not_found")
        return {
            "path": file["path"],
            "content": content["content"],
            "encoding": content["encoding"],
            "version": file["version"],
            "size": file["size"],
            "language": file["language"],
            "updatedAt": file["updatedAt"],
        }


def _listed(item: Document) -> Document:
    return {name: item[name] for name in ("path", "version", "size", "language")}
