"""Projects: what they say about themselves, and who works on them."""

from collections.abc import Iterable

from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRoleChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
)
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Delete, Document, DropItem, Patch, Put, SetItem, Write

PROJECTS = "projects"


def _created(event: ProjectCreated, record: Record) -> Iterable[Write]:
    document = {
        "id": event.project_id,
        "name": event.name,
        "description": event.description,
        "visibility": event.visibility,
        "language": event.language,
        "ownerId": event.owner_id,
        "collaborators": [],
        "createdAt": rfc3339(record.occurred_at),
        **_moved(record),
    }
    return (Put(PROJECTS, event.project_id, document),)


def _updated(event: ProjectUpdated, record: Record) -> Iterable[Write]:
    changes = {
        "name": event.name,
        "description": event.description,
        "visibility": event.visibility,
        "language": event.language,
        **_moved(record),
    }
    return (Patch(PROJECTS, event.project_id, changes),)


def _deleted(event: ProjectDeleted, _: Record) -> Iterable[Write]:
    return (Delete(PROJECTS, event.project_id),)


def _joined(event: CollaboratorAdded | CollaboratorRoleChanged, record: Record) -> Iterable[Write]:
    item = {"userId": event.account_id, "role": event.role}
    return (SetItem(PROJECTS, event.project_id, "collaborators", "userId", item, _moved(record)),)


def _left(event: CollaboratorRemoved, record: Record) -> Iterable[Write]:
    account = event.account_id
    return (DropItem(PROJECTS, event.project_id, "collaborators", "userId", account, _moved(record)),)


def _moved(record: Record) -> Document:
    return {"version": record.version, "updatedAt": rfc3339(record.occurred_at)}


MODEL = read_model(
    PROJECTS,
    {
        ProjectCreated: _created,
        ProjectUpdated: _updated,
        ProjectDeleted: _deleted,
        CollaboratorAdded: _joined,
        CollaboratorRoleChanged: _joined,
        CollaboratorRemoved: _left,
    },
    Collection(
        name=PROJECTS,
        # the owner stands first: where a query names both, it picks fewer projects than the visibility does
        indexes=(
            ("ownerId", "createdAt"),
            ("ownerId", "updatedAt"),
            ("ownerId", "name"),
            ("visibility", "createdAt"),
            ("visibility", "updatedAt"),
            ("visibility", "name"),
        ),
        multikey=("collaborators.userId",),
        text=("name", "description"),
    ),
    answers_commands=True,
)
