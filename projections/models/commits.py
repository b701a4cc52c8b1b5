"""Commits of projects. A large commit is shown when its last part completes it.

The timeline has each commit in few words, apart from its changes, so that thousands of them are read at once.
"""

from collections.abc import Iterable

from domain.commit.events import CommitRecorded
from domain.erasure.events import TracesErased
from domain.event import ERASED
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Patch, Put, Write

COMMITS = "commits"
TIMELINE = "timeline"
_TITLE = 100


def _recorded(event: CommitRecorded, record: Record) -> Iterable[Write]:
    id_ = f"{event.project_id}/{event.sha}"
    document = {
        "id": id_,
        "projectId": event.project_id,
        "authorId": event.author_id,
        "recordedBy": record.actor,
        "sha": event.sha,
        "number": event.number,
        "message": event.message,
        "author": {"name": event.author_name, "email": event.author_email},
        "authoredAt": event.authored_at,
        "parents": list(event.parents),
        "changes": [{"path": change.path, "status": change.status} for change in event.changes],
        "recordedAt": rfc3339(record.occurred_at),
        "version": event.number,
        "sequence": record.sequence,
    }
    point = {
        "id": id_,
        "projectId": event.project_id,
        "number": event.number,
        "sha": event.sha,
        "title": _title(event.message),
        "authorName": event.author_name,
        "authoredAt": event.authored_at,
        "recordedAt": rfc3339(record.occurred_at),
        "sequence": record.sequence,
        "end": record.sequence + record.commit_count - record.commit_index,
    }
    return Put(COMMITS, id_, document), Put(TIMELINE, id_, point)


def _title(message: str) -> str:
    line = message.partition("\n")[0]
    return line if len(line) <= _TITLE else f"{line[:_TITLE]}…"


def _erased(event: TracesErased, _: Record) -> Iterable[Write]:
    changes = {"message": ERASED, "author": {"name": ERASED, "email": ERASED}}
    point = {"title": ERASED, "authorName": ERASED}
    return [
        *(Patch(COMMITS, f"{event.home}/{sha}", changes) for sha in event.commits),
        *(Patch(TIMELINE, f"{event.home}/{sha}", point) for sha in event.commits),
    ]


MODEL = read_model(
    COMMITS,
    {CommitRecorded: _recorded, TracesErased: _erased},
    Collection(
        name=COMMITS,
        indexes=(("projectId", "number"), ("authorId", "number"), ("recordedBy", "number")),
        multikey=("changes.path",),
    ),
    Collection(name=TIMELINE, indexes=(("projectId", "number"),)),
    version=4,
    answers_commands=True,
)
