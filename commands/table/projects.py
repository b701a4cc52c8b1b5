"""Commands on projects and their collaborators."""

from msgspec import UNSET, UnsetType

from commands.table.fields import AccountReference, Description, Input, Language, Name, NoInput
from commands.table.handler import Handler, on_stream, project_home
from commands.table.row import BuildContext, ClientCommandRow
from commands.unit_of_work import UnitOfWork
from domain.errors import InvalidError, NotFoundError
from domain.identifiers import ACCOUNTS_HOME, account_stream, project_stream
from domain.project.commands import (
    CreateProject,
    DeleteProject,
    ProjectCommand,
    RemoveCollaborator,
    SetCollaborator,
    UpdateProject,
)
from domain.project.decider import PRIVATE_HISTORY, Project, decide
from domain.project.events import CollaboratorRole, Visibility


class ProjectInput(Input):
    """The fields of a project: those of a new one or, with PUT, all that it gets.

    With *publishHistory*, a public project also shows what was written while it was private.
    """

    name: Name
    description: Description | None = None
    visibility: Visibility = Visibility.PRIVATE
    language: Language | None = None
    publish_history: bool | UnsetType = UNSET


class ProjectPatch(Input):
    """The fields of a project to change; null removes a description or a language.

    With *publishHistory*, a public project also shows what was written while it was private.
    """

    name: Name | UnsetType = UNSET
    description: Description | None | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    language: Language | None | UnsetType = UNSET
    publish_history: bool | UnsetType = UNSET


class CollaboratorInput(Input):
    """The role that a collaborator gets."""

    role: CollaboratorRole


class CollaboratorCommand(Input):
    """A collaborator and the role that it gets."""

    account_id: AccountReference
    role: CollaboratorRole


class CollaboratorRemoval(Input):
    """The collaborator to remove."""

    account_id: AccountReference


_CHANGEABLE = tuple(name for name in ProjectPatch.__struct_fields__ if name != "publish_history")


def _create(data: ProjectInput, context: BuildContext) -> CreateProject:
    if data.publish_history is True and data.visibility is not Visibility.PUBLIC:
        raise InvalidError(PRIVATE_HISTORY, pointer="/publishHistory")
    return CreateProject(
        project_id=context.new_id,
        name=data.name,
        description=data.description or "",
        visibility=data.visibility,
        language=data.language,
    )


def _update(data: ProjectPatch, context: BuildContext) -> UpdateProject:
    fields = {name: getattr(data, name) for name in _CHANGEABLE}
    return UpdateProject(
        project_id=context.target,
        changes={name: value for name, value in fields.items() if value is not UNSET},
        publish_history=data.publish_history is True,
    )


def _delete(_: NoInput, context: BuildContext) -> DeleteProject:
    return DeleteProject(project_id=context.target)


def _set_collaborator(data: CollaboratorCommand, context: BuildContext) -> SetCollaborator:
    account_id = context.referenced(data.account_id)
    return SetCollaborator(project_id=context.target, account_id=account_id, role=data.role)


def _remove_collaborator(data: CollaboratorRemoval, context: BuildContext) -> RemoveCollaborator:
    return RemoveCollaborator(project_id=context.target, account_id=context.referenced(data.account_id))


def _stream(command: ProjectCommand) -> str:
    return project_stream(command.project_id)


def _account_of(command: SetCollaborator) -> tuple[tuple[str, str]]:
    return ((ACCOUNTS_HOME, account_stream(command.account_id)),)


def _run_set_collaborator(unit: UnitOfWork, stream: str, command: SetCollaborator) -> None:
    """Refuse an account that does not exist. Accounts have another home, so their state is advisory here."""
    events = decide(unit.load(stream), command, unit.actor)
    ((home, account),) = _account_of(command)
    if not unit.look(home, account).exists:
        message = (
            f"there is no account {command.account_id}: write an id, or a handle after an @, such as @ada"
        )
        raise NotFoundError(message, code="account_not_found")
    unit.record(stream, events)


def _is_collaborator(project: Project, command: SetCollaborator | RemoveCollaborator) -> bool:
    return command.account_id in project.collaborators


_HANDLER = Handler(home=project_home, stream=_stream, run=on_stream(decide))
_SET_COLLABORATOR = Handler(
    home=project_home,
    stream=_stream,
    run=_run_set_collaborator,
    looks_at=_account_of,
    exists=_is_collaborator,
)
_REMOVE_COLLABORATOR = Handler(
    home=project_home, stream=_stream, run=on_stream(decide), exists=_is_collaborator
)

ROWS = (
    ClientCommandRow(CreateProject, _HANDLER, ProjectInput, _create, targeted=False),
    ClientCommandRow(UpdateProject, _HANDLER, ProjectPatch, _update),
    ClientCommandRow(DeleteProject, _HANDLER, NoInput, _delete),
    ClientCommandRow(SetCollaborator, _SET_COLLABORATOR, CollaboratorCommand, _set_collaborator),
    ClientCommandRow(RemoveCollaborator, _REMOVE_COLLABORATOR, CollaboratorRemoval, _remove_collaborator),
)
