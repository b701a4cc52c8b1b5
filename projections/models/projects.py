"""Projects: their own fields and their collaborators."""

from collections.abc import Iterable
from typing import get_args

from domain.commit.events import CommitRecorded
from domain.file.events import FileDeleted, FileWritten
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRoleChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectEvent,
    ProjectUpdated,
)
from domain.project.private_time import spans_after
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection, Shows
from projections.models.dispatch import read_model
from projections.writes import Delete, Derive, Document, DropItem, Patch, Put, SetItem, Write

PROJECTS = "projects"


def _created(event: ProjectCreated, record: Record) -> Iterable[Write]:
    document: Document = {
        "id": event.project_id,
        "name": event.name,
        "description": event.description,
        "visibility": event.visibility,
        "language": event.language,
        "ownerId": event.owner_id,
        "collaborators": [],
        "privateSpans": spans_after((), event.visibility, record.sequence, publish_history=False),
        "createdAt": rfc3339(record.occurred_at),
    }
    return (Put(PROJECTS, event.project_id, document),)


def _updated(event: ProjectUpdated, record: Record) -> Iterable[Write]:
    changes = {
        "name": event.name,
        "description": event.description,
        "visibility": event.visibility,
        "language": event.language,
    }

    def spans(document: Document) -> Document:
        before = document.get("privateSpans", ())
        after = spans_after(before, event.visibility, record.sequence, publish_history=event.publish_history)
        return {"privateSpans": after}

    return (Derive(PROJECTS, event.project_id, spans, changes),)


def _deleted(event: ProjectDeleted, _: Record) -> Iterable[Write]:
    return (Delete(PROJECTS, event.project_id),)


def _role_given(event: CollaboratorAdded | CollaboratorRoleChanged, _: Record) -> Iterable[Write]:
    collaborator = {"userId": event.account_id, "role": event.role}
    return (SetItem(PROJECTS, event.project_id, "collaborators", "userId", collaborator),)


def _removed(event: CollaboratorRemoved, _: Record) -> Iterable[Write]:
    return (DropItem(PROJECTS, event.project_id, "collaborators", "userId", event.account_id),)


def _worked_on(event: CommitRecorded | FileWritten | FileDeleted, record: Record) -> Iterable[Write]:
    """Move the time of the last change, not the version; the files of a commit move with the commit."""
    if not isinstance(event, CommitRecorded) and event.commit is not None:
        return ()
    return (Patch(PROJECTS, event.project_id, {"updatedAt": rfc3339(record.occurred_at)}),)


MODEL = read_model(
    PROJECTS,
    {
        ProjectCreated: _created,
        ProjectUpdated: _updated,
        ProjectDeleted: _deleted,
        CollaboratorAdded: _role_given,
        CollaboratorRoleChanged: _role_given,
        CollaboratorRemoved: _removed,
        CommitRecorded: _worked_on,
        FileWritten: _worked_on,
        FileDeleted: _worked_on,
    },
    Collection(
        name=PROJECTS,
        # the owner comes first: if a query names both, the owner has fewer projects than the visibility
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
        shows=Shows(events=get_args(ProjectEvent), document=lambda event: event.project_id),
    ),
    version=3,
    answers_commands=True,
)
