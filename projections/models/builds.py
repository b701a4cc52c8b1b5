"""Builds of projects."""

from collections.abc import Iterable

from domain.build.events import BuildQueued, BuildStatus, BuildStatusChanged
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Document, Patch, Put, Write

BUILDS = "builds"


def _queued(event: BuildQueued, record: Record) -> Iterable[Write]:
    document = {
        "id": event.build_id,
        "projectId": event.project_id,
        "name": event.name,
        "commit": event.commit,
        "status": BuildStatus.QUEUED,
        "createdAt": rfc3339(record.occurred_at),
        **_moved(record),
    }
    return (Put(BUILDS, event.build_id, document),)


def _moved_on(event: BuildStatusChanged, record: Record) -> Iterable[Write]:
    return (Patch(BUILDS, event.build_id, {"status": event.status, **_moved(record)}),)


def _moved(record: Record) -> Document:
    return {"version": record.version, "updatedAt": rfc3339(record.occurred_at)}


MODEL = read_model(
    BUILDS,
    {BuildQueued: _queued, BuildStatusChanged: _moved_on},
    Collection(name=BUILDS, indexes=(("projectId", "createdAt"),)),
    answers_commands=True,
)
