"""Builds of projects."""

from collections.abc import Iterable
from typing import get_args

from domain.build.events import BuildEvent, BuildQueued, BuildStatus, BuildStatusChanged
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection, Shows
from projections.models.dispatch import read_model
from projections.writes import Patch, Put, Write

BUILDS = "builds"


def _queued(event: BuildQueued, record: Record) -> Iterable[Write]:
    document = {
        "id": event.build_id,
        "projectId": event.project_id,
        "name": event.name,
        "commit": event.commit,
        "status": BuildStatus.QUEUED,
        "createdAt": rfc3339(record.occurred_at),
        "sequence": record.sequence,
    }
    return (Put(BUILDS, event.build_id, document),)


def _status_changed(event: BuildStatusChanged, _: Record) -> Iterable[Write]:
    return (Patch(BUILDS, event.build_id, {"status": event.status}),)


MODEL = read_model(
    BUILDS,
    {BuildQueued: _queued, BuildStatusChanged: _status_changed},
    Collection(
        name=BUILDS,
        indexes=(("projectId", "createdAt"),),
        shows=Shows(events=get_args(BuildEvent), document=lambda event: event.build_id),
    ),
    version=2,
    answers_commands=True,
)
