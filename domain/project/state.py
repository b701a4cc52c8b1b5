"""What a decider has to know of a project."""

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRole,
    CollaboratorRoleChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectEvent,
    ProjectUpdated,
    Visibility,
)


class Project(Struct, frozen=True, kw_only=True):
    """A project as its events left it; *collaborators* maps account ids to roles and is never changed in place."""

    exists: bool
    deleted: bool
    owner_id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None
    collaborators: Mapping[str, CollaboratorRole]


INITIAL = Project(
    exists=False,
    deleted=False,
    owner_id="",
    name="",
    description="",
    visibility=Visibility.PRIVATE,
    language=None,
    collaborators={},
)


def evolve(project: Project, event: ProjectEvent) -> Project:
    """Return the project after *event*."""
    match event:
        case ProjectCreated():
            return Project(
                exists=True,
                deleted=False,
                owner_id=event.owner_id,
                name=event.name,
                description=event.description,
                visibility=event.visibility,
                language=event.language,
                collaborators={},
            )
        case ProjectUpdated():
            return replace(
                project,
                name=event.name,
                description=event.description,
                visibility=event.visibility,
                language=event.language,
            )
        case ProjectDeleted():
            return replace(project, deleted=True)
        case CollaboratorAdded() | CollaboratorRoleChanged():
            return replace(project, collaborators={**project.collaborators, event.account_id: event.role})
        case CollaboratorRemoved():
            left = {key: role for key, role in project.collaborators.items() if key != event.account_id}
            return replace(project, collaborators=left)
        case _:
            assert_never(event)
