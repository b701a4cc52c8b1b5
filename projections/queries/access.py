"""Which projects an actor may see, and which part of their history, according to the read model."""

from collections.abc import Iterator, Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from domain.project.access import sees
from domain.project.events import Visibility
from domain.project.private_time import EVERYTHING, SeenHistory, outside
from projections.models.projects import PROJECTS
from projections.store import Condition, DocumentStore, Equals, Outside
from projections.writes import Document

PRESENT = "present"
"""The field of a project's past document with its document of now, which decides who may see the past."""

_WRITTEN_AT = "sequence"


def may_see(project: Document, actor: Actor) -> bool:
    """Return whether *actor* may see the project; of its past, whether they may see it now."""
    now = project.get(PRESENT, project)
    return sees(actor, now["visibility"], now["ownerId"], _members(now))


def seen_history(project: Document, actor: Actor) -> SeenHistory:
    """Return which part of the project's history *actor* sees, who may see the project.

    Only those who could see it while it was private see what was written then.
    """
    now = project.get(PRESENT, project)
    spans = now.get("privateSpans")
    if not spans or sees(actor, Visibility.PRIVATE, now["ownerId"], _members(now)):
        return EVERYTHING
    return outside(spans)


def _members(project: Document) -> Iterator[str]:
    return (collaborator["userId"] for collaborator in project["collaborators"])


def seen_by(project: Document, actor: Actor) -> tuple[Condition, ...]:
    """Return the conditions that leave out what was written in the project while *actor* could not see it."""
    private = seen_history(project, actor).private
    return tuple(Outside(_WRITTEN_AT, first, end) for first, end in private)


def is_seen(project: Document, actor: Actor, written: Document) -> bool:
    """Return whether *actor* sees a document of the project, by when it was written."""
    return seen_history(project, actor).includes(written[_WRITTEN_AT])


def shown(written: Document) -> Document:
    """Return a document without the sequence at which it was written, which is not shown."""
    return {name: value for name, value in written.items() if name != _WRITTEN_AT}


def visible_project(store: DocumentStore, project_id: str, actor: Actor) -> Document:
    """Return the project's document; raises NotFoundError if there is none that *actor* may see."""
    project = store.get(PROJECTS, project_id)
    if project is None or not may_see(project, actor):
        raise project_not_found(project_id)
    return project


def visible_projects(store: DocumentStore, project_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
    """Return the documents of those of *project_ids* that *actor* may see, by id, in this order."""
    projects = store.get_many(PROJECTS, project_ids)
    return {id_: projects[id_] for id_ in project_ids if id_ in projects and may_see(projects[id_], actor)}


def project_not_found(project_id: str) -> NotFoundError:
    """Return the error for a project that does not exist, and for one that the actor may not see."""
    return NotFoundError(f"there is no project {project_id}", code="project_not_found")


def visible_scopes(actor: Actor) -> tuple[tuple[Condition, ...], ...]:
    """Return the scopes that together hold the projects that *actor* may see, each served by an index.

    This is `may_see` in the form of a query.
    """
    if actor.sees_all:
        return tuple((Equals("visibility", visibility),) for visibility in Visibility)
    scopes: list[tuple[Condition, ...]] = [(Equals("visibility", Visibility.PUBLIC),)]
    if not actor.is_anonymous:
        scopes.append((Equals("ownerId", actor.id),))
    if not actor.is_anonymous and actor.verified:
        scopes.append((Equals("collaborators.userId", actor.id),))
    return tuple(scopes)
