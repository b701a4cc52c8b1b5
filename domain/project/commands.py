"""What may be asked of projects."""

from domain.command import Command
from domain.project.events import CollaboratorRole, Visibility


class CreateProject(Command, tag="project.create"):
    """Start a project owned by the actor."""

    project_id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None


class UpdateProject(Command, tag="project.update"):
    """Change what the project says about itself; a field that is absent from *changes* stays."""

    project_id: str
    changes: dict[str, str | None]


class DeleteProject(Command, tag="project.delete"):
    """Delete the project."""

    project_id: str


class SetCollaborator(Command, tag="collaborator.set"):
    """Let an account work on the project in this role."""

    project_id: str
    account_id: str
    role: CollaboratorRole


class RemoveCollaborator(Command, tag="collaborator.remove"):
    """Let an account no longer work on the project."""

    project_id: str
    account_id: str


ProjectCommand = CreateProject | UpdateProject | DeleteProject | SetCollaborator | RemoveCollaborator
