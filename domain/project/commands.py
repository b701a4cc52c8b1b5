"""The commands of projects."""

from domain.command import Command
from domain.policy import ProjectRole, member
from domain.project.events import CollaboratorRole, Visibility


class CreateProject(Command, tag="project.create", rule=member()):
    """Create a project, owned by the actor."""

    project_id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None


class UpdateProject(Command, tag="project.update", rule=member(ProjectRole.MAINTAINER)):
    """Change the fields of the project that *changes* names; the others stay.

    With *publish_history*, everybody may see what was written while the project was private.
    """

    project_id: str
    changes: dict[str, str | None]
    publish_history: bool = False


class DeleteProject(Command, tag="project.delete", rule=member(ProjectRole.OWNER)):
    """Delete the project."""

    project_id: str


class SetCollaborator(Command, tag="collaborator.set", rule=member(ProjectRole.MAINTAINER)):
    """Add a collaborator, or give one another role."""

    project_id: str
    account_id: str
    role: CollaboratorRole


class RemoveCollaborator(Command, tag="collaborator.remove", rule=member(ProjectRole.MAINTAINER)):
    """Remove a collaborator from the project."""

    project_id: str
    account_id: str


ProjectCommand = CreateProject | UpdateProject | DeleteProject | SetCollaborator | RemoveCollaborator
