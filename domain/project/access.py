"""The rules of access to a project: who may see it, and who may do what in it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from domain.actor import Actor
from domain.errors import ForbiddenError, NotFoundError
from domain.policy import POLICY, ProjectRole, permit, unverified
from domain.project.events import CollaboratorRole, Visibility

_ROLES = {
    CollaboratorRole.VIEWER: ProjectRole.VIEWER,
    CollaboratorRole.EDITOR: ProjectRole.EDITOR,
    CollaboratorRole.MAINTAINER: ProjectRole.MAINTAINER,
}


class ProjectAccess(Protocol):
    """What the rules of access need to know of a project."""

    @property
    def exists(self) -> bool:
        """Return whether the project was ever created."""
        ...

    @property
    def deleted(self) -> bool:
        """Return whether the project was deleted."""
        ...

    @property
    def owner_id(self) -> str:
        """Return the id of the account that owns the project."""
        ...

    @property
    def visibility(self) -> Visibility:
        """Return who may see the project besides those who work on it."""
        ...

    @property
    def collaborators(self) -> Mapping[str, CollaboratorRole]:
        """Return the roles of the collaborators, by account id."""
        ...


def role_of(project: ProjectAccess, actor: Actor) -> ProjectRole | None:
    """Return the actor's role in the project; None for an actor without one, and in a deleted project.

    Administrators are owners of every project; an account is a viewer of a public one. Auditors see every
    project, but that is no role: they change nothing beyond the role that they have. An account whose e-mail
    address is not verified has a role in its own private projects alone.
    """
    if actor.is_anonymous or not project.exists or project.deleted:
        return None
    if not actor.verified and not _is_own_private(project, actor):
        return None
    if actor.id == project.owner_id or actor.is_admin:
        return ProjectRole.OWNER
    role = project.collaborators.get(actor.id)
    if role is not None:
        return _ROLES[role]
    return ProjectRole.VIEWER if project.visibility is Visibility.PUBLIC else None


def _is_own_private(project: ProjectAccess, actor: Actor) -> bool:
    return actor.id == project.owner_id and project.visibility is Visibility.PRIVATE


def sees(actor: Actor, visibility: str, owner_id: str, collaborators: Iterable[str]) -> bool:
    """Return whether the actor may know of such a project: one rule for commands and queries.

    *collaborators* are account ids.
    """
    if visibility == Visibility.PUBLIC or actor.sees_all:
        return True
    if actor.is_anonymous:
        return False
    return actor.id == owner_id or (actor.verified and actor.id in collaborators)


def may_see(project: ProjectAccess, actor: Actor) -> bool:
    """Return whether the actor may know of the project; nobody sees a deleted one."""
    if not project.exists or project.deleted:
        return False
    return sees(actor, project.visibility, project.owner_id, project.collaborators)


def seeing(project: ProjectAccess, accounts: Iterable[str]) -> tuple[str, ...]:
    """Return those of *accounts* that see the project because of what it is, not because of their roles.

    A text in the project mentions only them: all in a public project, its members in a private one.
    """
    if project.visibility is Visibility.PUBLIC:
        return tuple(accounts)
    return tuple(id_ for id_ in accounts if id_ == project.owner_id or id_ in project.collaborators)


def require(project: ProjectAccess, actor: Actor, action: str) -> None:
    """Refuse an actor that the policy does not let take *action* in the project.

    Raises:
        NotFoundError: the project does not exist, is deleted, or the actor may not know of it.
        ForbiddenError: the actor may see the project, but has not signed in, lacks a role, or uses a token
            without the scope.
    """
    if not may_see(project, actor):
        raise NotFoundError("there is no such project", code="project_not_found")
    permit(actor, action)
    needed, role = POLICY[action].project, role_of(project, actor)
    if needed is not None and role is None and not actor.verified:
        raise unverified()
    if needed is not None and (role is None or role < needed):
        raise ForbiddenError(
            f"this needs the role {needed.name.lower()} in the project", code="role_required"
        )
