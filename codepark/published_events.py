"""Events as analysts see them: what the public topics say of them, in the form of the API."""

from collections.abc import Callable
from typing import Any

import msgspec

from commands.log import EventLog
from commands.partitions import Logs
from commands.position import Position
from commands.secrets import Secrets
from domain.record import Record
from domain.times import rfc3339
from read_api.realtime.events import RenderedEvent, project_of
from streams.public.pseudonyms import Names, keyed_pseudonyms
from streams.public.publications import publication_of

Published = Callable[[EventLog, Record], RenderedEvent | None]


def published_by(secrets: Secrets) -> Published:
    """Return what turns a record into what is published of it; None where that is nothing, or it cannot be read."""
    names = Names(keyed_pseudonyms(secrets))

    def published(log: EventLog, record: Record) -> RenderedEvent | None:
        publication = publication_of(record.topic)
        if publication is None:
            return None
        try:
            data = publication.convert(log.event(record), names)
        except Exception:  # noqa: BLE001 # as for everybody: one event that cannot be read must not end a stream
            return None
        place = Position.at(record.sequence, record.chain, log.number)
        document = _document(record, names, place.token(), publication.version, data, log.number)
        return RenderedEvent(
            record.sequence,
            record.home,
            record.topic,
            document["stream"],
            place.token(),
            msgspec.json.encode(document),
            place,
        )

    return published


def _document(
    record: Record, names: Names, token: str, version: int, data: Any, partition: int
) -> dict[str, Any]:
    """Return the event in the API's form, with pseudonyms, and without what would join it to requests."""
    return {
        "id": f"{partition}-{record.sequence}",
        "type": record.topic,
        "schemaVersion": version,
        "projectId": project_of(record),
        "stream": names.subject(record.stream),
        "version": record.version,
        "sequence": record.sequence,
        "position": token,
        "occurredAt": rfc3339(record.occurred_at),
        "actor": names.person(record.actor) if record.actor else "",
        "commandId": "",
        "correlationId": "",
        "causationId": None,
        "traceparent": None,
        "data": data,
    }


def read_again(logs: Logs[Any], published: Published) -> Callable[[RenderedEvent], RenderedEvent | None]:
    """Return what turns an event that is ready to be sent into what is published of it: its record is read again."""

    def again(event: RenderedEvent) -> RenderedEvent | None:
        (number,) = event.position.partitions
        log = logs[number]
        records = log.read(event.sequence - 1, 1)
        return published(log, records[0]) if records else None

    return again
