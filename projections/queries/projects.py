"""Projects as clients see them: composed of the project, its people, its files and its insights."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from domain.actor import Actor
from domain.project.private_time import SeenHistory
from insights.suggestions import Suggestion, sentence
from projections.budget import PAGE_BYTES
from projections.models.files import FILES
from projections.models.projects import PROJECTS
from projections.queries.access import (
    may_see,
    project_not_found,
    seen_history,
    visible_project,
    visible_scopes,
)
from projections.queries.composed_answers import ComposedAnswers, Rendered, render
from projections.queries.insights import InsightQueries, Pending, no_insights, nothing_pending
from projections.queries.page import Page, PageRequest, read_page
from projections.queries.people import names_of
from projections.queries.shared_answers import LIST_SECONDS, OBJECT_SECONDS, Sequences, SharedAnswers
from projections.store import Condition, CutShort, DocumentStore, Equals, Matches, Query
from projections.writes import Document

FILES_SHOWN = 1_000


class ProjectFilter(Struct, frozen=True, kw_only=True):
    """Which projects a list shows, and in which order (`-createdAt`: newest first)."""

    owner: str | None = None
    collaborator: str | None = None
    search: str | None = None
    sort: str = "-createdAt"


class ProjectQueries:
    """Find projects that the actor may see."""

    def __init__(
        self,
        store: DocumentStore,
        shared: SharedAnswers | None = None,
        insights_pending: Pending = nothing_pending,
    ) -> None:
        """Read from *store*; share composed answers with other processes through *shared*.

        *insights_pending* says where files have changed since the insights in *store*. That is not part of
        what is kept, because it ends without a write.
        """
        self._store = store
        self._shared = shared
        self._insights = InsightQueries(store, insights_pending)
        # Files that waited are measured without an event: other processes may not learn of that.
        keep = None if shared is None else _has_all_insights
        self._listed: ComposedAnswers[Document] = ComposedAnswers(_json_size, keep=keep)
        self._rendered: ComposedAnswers[Rendered] = ComposedAnswers(
            lambda answer: len(answer.body),
            keep=None if keep is None else lambda rendered: keep(rendered.document),
        )

    def touch(self, project_ids: Iterable[str] | None, through: Sequences | None = None) -> None:
        """Forget the composed answers of these projects, None for all; called after each write.

        *through* are the sequences that its writes include.
        """
        if self._shared is not None:
            self._shared.touch(project_ids, through or {})
        for answers in (self._listed, self._rendered):
            if project_ids is None:
                answers.clear()
            else:
                answers.touch(project_ids)

    def get(self, project_id: str, actor: Actor) -> Document:
        """Return a project with its files; raises NotFoundError."""
        return self.rendered(project_id, actor).document

    def rendered(self, project_id: str, actor: Actor) -> Rendered:
        """Return a project with its files, ready to be sent; raises NotFoundError."""
        pending = self._insights.pending((project_id,))
        answer = self._rendered.get(project_id, lambda: self._render_shared(project_id, actor))
        if not may_see(answer.bare, actor):
            raise project_not_found(project_id)
        if pending or self._insights.pending((project_id,)):
            return _rendered_pending(answer)
        return answer

    def _render_shared(self, project_id: str, actor: Actor) -> Rendered:
        if self._shared is None:
            return self._render(project_id, actor)
        return self._shared.get(
            "project",
            project_id,
            OBJECT_SECONDS,
            Rendered,
            lambda: self._render(project_id, actor),
            keep=lambda rendered: _has_all_insights(rendered.document),
        )

    def rendered_new(self, project_id: str, actor: Actor) -> Rendered:
        """Return a project that was just created, and therefore has no files; raises NotFoundError."""
        return self._rendered.get(project_id, lambda: self._render_new(project_id, actor))

    def _render_new(self, project_id: str, actor: Actor) -> Rendered:
        bare = visible_project(self._store, project_id, actor)
        if bare["version"] > 1:
            return self._render(project_id, actor)
        return render(bare, {**self._shown(bare, no_insights(project_id)), "files": []})

    def _render(self, project_id: str, actor: Actor) -> Rendered:
        bare = visible_project(self._store, project_id, actor)
        files = self._files(project_id)
        insights = (
            self._insights.stored((project_id,))[project_id] if files["files"] else no_insights(project_id)
        )
        return render(bare, {**self._shown(bare, insights), **files})

    def get_bare(self, project_id: str, actor: Actor) -> Document:
        """Return the project's own document; raises NotFoundError."""
        return visible_project(self._store, project_id, actor)

    def page(self, project_filter: ProjectFilter, page: PageRequest, actor: Actor) -> Page:
        """Return a page of projects, without their files."""
        sort = project_filter.sort.removeprefix("-")
        query = Query(
            collection=PROJECTS,
            where=_where(project_filter),
            scopes=visible_scopes(actor),
            sort=sort,
            descending=project_filter.sort.startswith("-"),
        )
        since = self._listed.moment
        projects = read_page(self._store, query, page)
        return projects.with_items(self._as_listed(projects.items, since))

    def many(self, project_ids: Iterable[str], actor: Actor) -> dict[str, Document]:
        """Return those of *project_ids* that *actor* may see, without their files."""
        since = self._listed.moment
        projects = self._store.get_many(PROJECTS, list(project_ids))
        visible = [project for project in projects.values() if may_see(project, actor)]
        return {project["id"]: project for project in self._as_listed(visible, since)}

    def histories(self, project_ids: Iterable[str], actor: Actor) -> dict[str, SeenHistory]:
        """Return, for those of *project_ids* that *actor* may see, which part of their history they see."""
        projects = self._store.get_many(PROJECTS, list(project_ids))
        return {
            id_: seen_history(project, actor) for id_, project in projects.items() if may_see(project, actor)
        }

    def find_owned(self, owner_id: str, name: str) -> Document | None:
        """Return the oldest project with that owner and name."""
        projects = self._store.find(
            Query(
                collection=PROJECTS,
                where=(Equals("ownerId", owner_id), Equals("name", name)),
                sort="createdAt",
                limit=1,
            )
        )
        return projects[0] if projects else None

    def _as_listed(self, projects: Sequence[Document], since: int) -> list[Document]:
        """Compose projects that were read after *since*; those without an answer are composed together."""
        bare = {project["id"]: project for project in projects}

        def compose(ids: Sequence[str]) -> dict[str, Document]:
            chosen = [bare[id_] for id_ in ids]
            names = names_of(self._store, {id_ for project in chosen for id_ in _people(project)})
            insights = self._insights.stored(ids)
            return {project["id"]: _composed(project, names, insights[project["id"]]) for project in chosen}

        def compose_shared(ids: list[str]) -> dict[str, Document]:
            if self._shared is None:
                return compose(ids)
            return self._shared.get_many("listed", ids, LIST_SECONDS, dict, compose, keep=_has_all_insights)

        ids = list(bare)
        pending = self._insights.pending(ids)
        listed = self._listed.get_many(ids, since, compose_shared)
        pending |= self._insights.pending(ids)
        return [_pending(each) if each["id"] in pending else each for each in listed.values()]

    def _shown(self, project: Document, insights: Document) -> Document:
        return _composed(project, names_of(self._store, _people(project)), insights)

    def _files(self, project_id: str) -> Document:
        query = Query(
            collection=FILES,
            where=(Equals("projectId", project_id),),
            sort="path",
            limit=FILES_SHOWN + 1,
            most_bytes=PAGE_BYTES,
        )
        documents = self._store.find(query)
        files = [
            {"path": file["path"], "version": file["version"], "size": file["size"]}
            for file in documents[:FILES_SHOWN]
        ]
        truncated = len(documents) > FILES_SHOWN or isinstance(documents, CutShort)
        return {"files": files, "filesTruncated": True} if truncated else {"files": files}


def _json_size(document: Document) -> int:
    return len(msgspec.json.encode(document))


def _people(project: Document) -> set[str]:
    return {project["ownerId"], *(collaborator["userId"] for collaborator in project["collaborators"])}


def _composed(project: Document, names: Mapping[str, str], insights: Document) -> Document:
    return {
        "id": project["id"],
        "name": project["name"],
        "description": project["description"],
        "visibility": project["visibility"],
        "language": project["language"],
        "ownerId": project["ownerId"],
        "owner": {"id": project["ownerId"], "name": names[project["ownerId"]]},
        "collaborators": [
            {
                "id": collaborator["userId"],
                "name": names[collaborator["userId"]],
                "role": collaborator["role"],
            }
            for collaborator in project["collaborators"]
        ],
        "aiInsights": {
            "complexity": insights["complexity"],
            "suggestions": [_sentence(suggestion) for suggestion in insights["suggestions"]],
        },
        "insightsPending": insights["insightsPending"],
        "version": project["version"],
        "createdAt": project["createdAt"],
        "updatedAt": project["updatedAt"],
    }


def _pending(document: Document) -> Document:
    """Return *document* as it is while newer insights are being made."""
    return document if document["insightsPending"] else {**document, "insightsPending": True}


def _rendered_pending(answer: Rendered) -> Rendered:
    """Return *answer* as it is while newer insights are being made, with an entity tag of its own."""
    document = _pending(answer.document)
    return answer if document is answer.document else render(answer.bare, document)


def _has_all_insights(document: Document) -> bool:
    return not document["insightsPending"]


def _where(project_filter: ProjectFilter) -> tuple[Condition, ...]:
    where: list[Condition] = []
    if project_filter.owner is not None:
        where.append(Equals("ownerId", project_filter.owner))
    if project_filter.collaborator is not None:
        where.append(Equals("collaborators.userId", project_filter.collaborator))
    if project_filter.search is not None:
        where.append(Matches(project_filter.search))
    return tuple(where)


def _sentence(suggestion: Document) -> str:
    fields = {name: suggestion[name] for name in Suggestion.__struct_encode_fields__}
    return sentence(msgspec.convert(fields, Suggestion))
