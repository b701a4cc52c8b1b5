"""The files of a project."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.budget import OverBudgetError
from projections.models.files import CONTENTS, FILES
from projections.queries.access import visible_project, visible_projects
from projections.queries.page import Page, PageRequest, read_page, read_pages
from projections.store import Condition, DocumentStore, Equals, Query, StartsWith
from projections.writes import Document

_TOO_MUCH = "the contents of these files are too much for one answer: ask for fewer of them, or page by page"
_LISTED = ("path", "version", "size", "language", "digest")


class FileQueries:
    """Find files of projects that the actor may see."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def page(self, project_id: str, prefix: str, page: PageRequest, actor: Actor) -> Page:
        """Return a page of the files whose paths begin with *prefix*, by path; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        return _listed(read_page(self._store, _of_project(project_id, prefix), page))

    def pages(
        self, project_ids: Sequence[str], prefix: str, page: PageRequest, actor: Actor
    ) -> dict[str, Page]:
        """Return such a page for each project that *actor* may see."""
        ids = list(visible_projects(self._store, project_ids, actor))
        pages = read_pages(self._store, [_of_project(id_, prefix) for id_ in ids], page)
        return {id_: _listed(of_project) for id_, of_project in zip(ids, pages, strict=True)}

    def get(self, project_id: str, path: str, actor: Actor) -> Document:
        """Return a file with its content; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        file = self._store.get(FILES, f"{project_id}/{path}")
        content = self._store.get(CONTENTS, f"{project_id}/{path}")
        if file is None or content is None:
            raise NotFoundError(f"there is no file {path} in this project", code="file_not_found")
        return _with_content(file, content)

    def many(
        self, keys: Sequence[tuple[str, str]], actor: Actor, most_bytes: int
    ) -> dict[tuple[str, str], Document | OverBudgetError]:
        """Return, by (project, path), the files with their content that exist and that *actor* may see.

        Contents are loaded until they pass *most_bytes*, by the sizes that are known before; in place of
        those that do not fit there is an error.
        """
        project_ids = list({project_id for project_id, _ in keys})
        visible = visible_projects(self._store, project_ids, actor)
        ids = {
            f"{project_id}/{path}": (project_id, path) for project_id, path in keys if project_id in visible
        }
        files = self._store.get_many(FILES, list(ids))
        fitting: list[str] = []
        answers: dict[tuple[str, str], Document | OverBudgetError] = {}
        for id_, file in files.items():
            if file["size"] > most_bytes:
                answers[ids[id_]] = OverBudgetError(_TOO_MUCH)
                continue
            fitting.append(id_)
            most_bytes -= file["size"]
        contents = self._store.get_many(CONTENTS, fitting)
        return answers | {ids[id_]: _with_content(files[id_], content) for id_, content in contents.items()}


def _with_content(file: Document, content: Document) -> Document:
    return {
        "path": file["path"],
        "content": content["content"],
        "encoding": content["encoding"],
        "version": file["version"],
        "size": file["size"],
        "language": file["language"],
        "updatedAt": file["updatedAt"],
    }


def _of_project(project_id: str, prefix: str) -> Query:
    where: tuple[Condition, ...] = (Equals("projectId", project_id),)
    if prefix:
        where = (*where, StartsWith("path", prefix))
    return Query(collection=FILES, where=where, sort="path")


def _listed(page: Page) -> Page:
    files = [{name: file.get(name) for name in _LISTED} for file in page.items]
    return page.with_items(files)
