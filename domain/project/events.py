"""The events of projects."""

from enum import StrEnum

from domain.event import Event
from domain.upcasting import upcaster


class Visibility(StrEnum):
    """Who may see a project."""

    PUBLIC = "public"
    PRIVATE = "private"


class CollaboratorRole(StrEnum):
    """The role of a collaborator in a project; each includes those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    MAINTAINER = "maintainer"


class ProjectCreated(Event, topic="project.created", version=1):
    """Somebody created a project."""

    project_id: str
    owner_id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None


class ProjectUpdated(Event, topic="project.updated", version=2):
    """Somebody changed fields of the project; the event has all of them.

    With *publish_history*, which only a public project has, everybody may see what was written while the
    project was private.
    """

    project_id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None
    publish_history: bool


@upcaster("project.updated", from_version=1)
def _without_history(data: dict[str, object]) -> dict[str, object]:
    return {**data, "publishHistory": False}


class ProjectDeleted(Event, topic="project.deleted", version=1):
    """Somebody deleted the project."""

    project_id: str


class CollaboratorAdded(Event, topic="collaborator.added", version=1):
    """An account joined the project."""

    project_id: str
    account_id: str
    role: CollaboratorRole


class CollaboratorRoleChanged(Event, topic="collaborator.role_changed", version=1):
    """A collaborator got another role."""

    project_id: str
    account_id: str
    role: CollaboratorRole


class CollaboratorRemoved(Event, topic="collaborator.removed", version=1):
    """A collaborator left the project or was removed from it."""

    project_id: str
    account_id: str


ProjectEvent = (
    ProjectCreated
    | ProjectUpdated
    | ProjectDeleted
    | CollaboratorAdded
    | CollaboratorRoleChanged
    | CollaboratorRemoved
)
