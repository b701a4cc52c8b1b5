"""Which projects somebody may see, by the read model."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from domain.project.events import Visibility
from projections.store import Condition, DocumentStore, Equals
from projections.writes import Document

PROJECTS = "projects"


def may_see(project: Document, actor: Actor) -> bool:
    """Tell whether *actor* may see the project."""
    if project["visibility"] == Visibility.PUBLIC or actor.sees_all:
        return True
    if actor.is_anonymous:
        return False
    return project["ownerId"] == actor.id or any(
        collaborator["userId"] == actor.id for collaborator in project["collaborators"]
    )


def visible_project(store: DocumentStore, project_id: str, actor: Actor) -> Document:
    """Return the project's document; raises NotFoundError where it is not there for *actor*."""
    project = store.get(PROJECTS, project_id)
    if project is None or not may_see(project, actor):
        raise project_not_found(project_id)
    return project


def visible_ids(store: DocumentStore, project_ids: Sequence[str], actor: Actor) -> list[str]:
    """Return those of *project_ids* that are there for *actor*."""
    found = store.get_many(PROJECTS, project_ids)
    return [id_ for id_ in project_ids if id_ in found and may_see(found[id_], actor)]


def project_not_found(project_id: str) -> NotFoundError:
    """Return the refusal of a project that is not there for the one who asks."""
    return NotFoundError(f"there is no project {project_id}", code="project_not_found")


def visible_scopes(actor: Actor) -> tuple[tuple[Condition, ...], ...]:
    """Return the scopes that together hold the projects that *actor* may see, each served by an index."""
    if actor.sees_all:
        return tuple((Equals("visibility", visibility),) for visibility in Visibility)
    scopes: list[tuple[Condition, ...]] = [(Equals("visibility", Visibility.PUBLIC),)]
    if not actor.is_anonymous:
        scopes += [(Equals("ownerId", actor.id),), (Equals("collaborators.userId", actor.id),)]
    return tuple(scopes)
