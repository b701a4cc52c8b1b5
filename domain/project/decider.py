"""The decider of projects and their collaborators."""

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.actor import Actor
from domain.errors import ConflictError, InvalidError, NotFoundError
from domain.limits import DESCRIPTION_LENGTH, ID_LENGTH, LANGUAGE_LENGTH, NAME_LENGTH
from domain.policy import permit
from domain.project.access import require
from domain.project.commands import (
    CreateProject,
    DeleteProject,
    ProjectCommand,
    RemoveCollaborator,
    SetCollaborator,
    UpdateProject,
)
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
from domain.text import checked_line, checked_text

PRIVATE_HISTORY = "only a public project shows its history: send visibility public too, or leave this out"
"""Why `publishHistory` is refused."""

_FIELDS = frozenset({"name", "description", "visibility", "language"})


class Project(Struct, frozen=True, kw_only=True):
    """The state of a project; *collaborators* maps account ids to roles and is never changed in place.

    *has_private_time* says that something was written while the project was private, which its owner has not
    published.
    """

    exists: bool
    deleted: bool
    owner_id: str
    name: str
    description: str
    visibility: Visibility
    language: str | None
    collaborators: Mapping[str, CollaboratorRole]
    has_private_time: bool


INITIAL = Project(
    exists=False,
    deleted=False,
    owner_id="",
    name="",
    description="",
    visibility=Visibility.PRIVATE,
    language=None,
    collaborators={},
    has_private_time=False,
)


def decide(project: Project, command: ProjectCommand, actor: Actor) -> tuple[ProjectEvent, ...]:
    """Return the events that *command* causes, or refuse it."""
    match command:
        case CreateProject():
            return _create(project, command, actor)
        case UpdateProject():
            return _update(project, command, actor)
        case DeleteProject(project_id=project_id):
            require(project, actor, command.NAME)
            return (ProjectDeleted(project_id=project_id),)
        case SetCollaborator():
            return _set_collaborator(project, command, actor)
        case RemoveCollaborator():
            return _remove_collaborator(project, command, actor)
        case _:
            assert_never(command)


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
                has_private_time=event.visibility is Visibility.PRIVATE,
            )
        case ProjectUpdated():
            return replace(
                project,
                name=event.name,
                description=event.description,
                visibility=event.visibility,
                language=event.language,
                has_private_time=event.visibility is Visibility.PRIVATE
                or (project.has_private_time and not event.publish_history),
            )
        case ProjectDeleted():
            return replace(project, deleted=True)
        case CollaboratorAdded() | CollaboratorRoleChanged():
            return replace(project, collaborators={**project.collaborators, event.account_id: event.role})
        case CollaboratorRemoved():
            others = {id_: role for id_, role in project.collaborators.items() if id_ != event.account_id}
            return replace(project, collaborators=others)
        case _:
            assert_never(event)


def _create(project: Project, command: CreateProject, actor: Actor) -> tuple[ProjectEvent, ...]:
    permit(actor, command.NAME)
    if command.visibility is Visibility.PUBLIC:
        permit(actor, "project.publish")
    if project.exists:
        raise ConflictError("there is a project with this id already", code="project_exists")
    created = ProjectCreated(
        project_id=command.project_id,
        owner_id=actor.id,
        name=_name(command.name),
        description=_description(command.description),
        visibility=command.visibility,
        language=_language(command.language),
    )
    return (created,)


def _update(project: Project, command: UpdateProject, actor: Actor) -> tuple[ProjectEvent, ...]:
    require(project, actor, command.NAME)
    changes = command.changes
    for field in changes:
        if field not in _FIELDS:
            raise InvalidError("a project has no such field: leave it out", pointer=f"/{field}")
    updated = ProjectUpdated(
        project_id=command.project_id,
        name=_name(changes["name"]) if "name" in changes else project.name,
        description=_description(changes["description"]) if "description" in changes else project.description,
        visibility=_visibility(changes["visibility"]) if "visibility" in changes else project.visibility,
        language=_language(changes["language"]) if "language" in changes else project.language,
        publish_history=command.publish_history,
    )
    if updated.publish_history and updated.visibility is not Visibility.PUBLIC:
        raise InvalidError(PRIVATE_HISTORY, pointer="/publishHistory")
    if updated.visibility is not project.visibility or updated.publish_history:
        require(project, actor, "project.publish")
    return (updated,) if evolve(project, updated) != project else ()


def _set_collaborator(project: Project, command: SetCollaborator, actor: Actor) -> tuple[ProjectEvent, ...]:
    require(project, actor, command.NAME)
    account_id = checked_line(command.account_id, pointer="/accountId", longest=ID_LENGTH)
    if account_id == project.owner_id:
        raise ConflictError(
            "the owner of a project cannot be a collaborator of it", code="owner_collaborator"
        )
    role = project.collaborators.get(account_id)
    if role is None:
        return (CollaboratorAdded(project_id=command.project_id, account_id=account_id, role=command.role),)
    if role is command.role:
        return ()
    return (CollaboratorRoleChanged(project_id=command.project_id, account_id=account_id, role=command.role),)


def _remove_collaborator(
    project: Project, command: RemoveCollaborator, actor: Actor
) -> tuple[ProjectEvent, ...]:
    leaves = command.account_id == actor.id
    require(project, actor, "collaborator.leave" if leaves else command.NAME)
    if command.account_id not in project.collaborators:
        raise NotFoundError(
            "this account is not a collaborator of the project", code="collaborator_not_found"
        )
    return (CollaboratorRemoved(project_id=command.project_id, account_id=command.account_id),)


def _name(value: str | None) -> str:
    if value is None:
        raise InvalidError("write a name: every project has one", pointer="/name")
    return checked_line(value, pointer="/name", longest=NAME_LENGTH)


def _description(value: str | None) -> str:
    return checked_text(value or "", pointer="/description", longest=DESCRIPTION_LENGTH)


def _visibility(value: str | None) -> Visibility:
    try:
        return Visibility(value or "")
    except ValueError as error:
        raise InvalidError("choose public or private", pointer="/visibility") from error


def _language(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    return checked_line(value, pointer="/language", longest=LANGUAGE_LENGTH)
