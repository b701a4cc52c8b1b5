"""The activity of a project: one line for each event, without personal data."""

from collections.abc import Callable, Iterable
from typing import Any

from domain.build.events import BuildQueued, BuildStatusChanged
from domain.commit.events import CommitRecorded
from domain.event import Event
from domain.file.events import FileDeleted, FileWritten
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRoleChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
)
from domain.record import Record
from domain.review.events import ReviewClosed, ReviewCommented, ReviewDecided, ReviewOpened
from domain.suggestion.events import SuggestionAccepted, SuggestionDismissed
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Document, Put, Write

ACTIVITY = "activity"

Summary = Callable[[Any], Document | None]
"""From an event to the few fields that say what it was about; None leaves the event out."""


def _file(event: FileWritten | FileDeleted) -> Document | None:
    """Leave out files that a commit changed: the commit has a line of its own."""
    return {"path": event.path} if event.commit is None else None


def _commit(event: CommitRecorded) -> Document:
    return {"sha": event.sha, "number": event.number, "changes": len(event.changes)}


_SUMMARIES: dict[type[Event], Summary] = {
    ProjectCreated: lambda event: {"name": event.name},
    ProjectUpdated: lambda event: {"name": event.name},
    ProjectDeleted: lambda _: {},
    CollaboratorAdded: lambda event: {"accountId": event.account_id, "role": event.role},
    CollaboratorRoleChanged: lambda event: {"accountId": event.account_id, "role": event.role},
    CollaboratorRemoved: lambda event: {"accountId": event.account_id},
    FileWritten: _file,
    FileDeleted: _file,
    CommitRecorded: _commit,
    ReviewOpened: lambda event: {"reviewId": event.review_id},
    ReviewCommented: lambda event: {"reviewId": event.review_id, "path": event.path},
    ReviewDecided: lambda event: {"reviewId": event.review_id, "decision": event.decision},
    ReviewClosed: lambda event: {"reviewId": event.review_id},
    BuildQueued: lambda event: {"buildId": event.build_id, "name": event.name},
    BuildStatusChanged: lambda event: {"buildId": event.build_id, "status": event.status},
    SuggestionAccepted: lambda event: {"suggestionId": event.suggestion_id},
    SuggestionDismissed: lambda event: {"suggestionId": event.suggestion_id},
}


def _line(event: Any, record: Record) -> Iterable[Write]:
    """Return the line of an event of the table above."""
    summary = _SUMMARIES[type(event)](event)
    if summary is None:
        return ()
    id_ = f"{event.project_id}/{record.sequence:020d}"
    document = {
        "id": id_,
        "sequence": record.sequence,
        "projectId": event.project_id,
        "type": event.TOPIC,
        "actorId": record.actor,
        **summary,
        "at": rfc3339(record.occurred_at),
    }
    return (Put(ACTIVITY, id_, document),)


MODEL = read_model(
    ACTIVITY,
    dict.fromkeys(_SUMMARIES, _line),
    Collection(name=ACTIVITY, indexes=(("projectId", "sequence"),)),
    version=2,
)
