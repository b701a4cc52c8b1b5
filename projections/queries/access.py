"""Which projects an actor may see, according to the read model."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from domain.project.access import sees
from domain.project.events import Visibility
from projections.models.projects import PROJECTS
from projections.store import Condition, DocumentStore, Equals
from projections.writes import Document


def may_see(project: Document, actor: Actor) -> bool:
    """Return whether *actor* may see the project."""
    collaborators = (collaborator["userId"] for collaborator in project["collaborators"])
    return sees(actor, project["visibility"], project["ownerId"], collaborators)


def visible_project(store: DocumentStore, project_id: str, actor: Actor) -> Document:
    """Return the project's document; raises NotFoundError if there is none that *actor* may see."""
    project = store.get(PROJECTS, project_id)
    if project is None or not may_see(project, actor):
        raise project_not_found(project_id)
    return project


def visible_ids(store: DocumentStore, project_ids: Sequence[str], actor: Actor) -> list[str]:
    """Return those of *project_ids* that *actor* may see."""
    projects = store.get_many(PROJECTS, project_ids)
    return [id_ for id_ in project_ids if id_ in projects and may_see(projects[id_], actor)]


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
