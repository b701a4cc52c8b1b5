"""Files of projects; their contents are stored apart, so that lists stay small."""

from collections.abc import Iterable
from typing import get_args

from domain.file.events import FileDeleted, FileEvent, FileWritten
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection, Shows
from projections.models.dispatch import read_model
from projections.models.languages import language_of
from projections.writes import Delete, Put, Write

FILES = "files"
CONTENTS = "contents"


def _written(event: FileWritten, record: Record) -> Iterable[Write]:
    id_ = _id(event)
    file = {
        "id": id_,
        "projectId": event.project_id,
        "path": event.path,
        "version": record.version,  # here, as `updatedAt`, for its place in the stored JSON
        "size": event.size,
        "language": language_of(event.path),
        "encoding": event.encoding,
        "digest": event.digest,
        "updatedAt": rfc3339(record.occurred_at),
        "commit": event.commit,
    }
    content = {"id": id_, "content": event.content, "encoding": event.encoding, "version": record.version}
    return Put(FILES, id_, file), Put(CONTENTS, id_, content)


def _deleted(event: FileDeleted, _: Record) -> Iterable[Write]:
    id_ = _id(event)
    return Delete(FILES, id_), Delete(CONTENTS, id_)


def _id(event: FileEvent) -> str:
    return f"{event.project_id}/{event.path}"


MODEL = read_model(
    FILES,
    {FileWritten: _written, FileDeleted: _deleted},
    Collection(
        name=FILES,
        indexes=(("projectId", "path"),),
        sums=(("projectId", "size"),),
        shows=Shows(events=get_args(FileEvent), document=_id),
    ),
    Collection(name=CONTENTS),
    answers_commands=True,
)
