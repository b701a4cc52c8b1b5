"""Events as analysts see them: what the public topics show of them, in the form of the API."""

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
from streams.public.publications import Publication, publication_of
from streams.public.times import public_time


class PublishedEvents:
    """What is published of the records of *logs*, with the pseudonyms of an installation."""

    def __init__(self, logs: Logs[Any], secrets: Secrets) -> None:
        """Derive the pseudonyms from *secrets*."""
        self._logs = logs
        self._pseudonym = keyed_pseudonyms(secrets)

    def of_record(self, log: EventLog, record: Record) -> RenderedEvent | None:
        """Return what is published of *record*; None where that is nothing, or the event cannot be read."""
        publication = publication_of(record.topic)
        if publication is None:
            return None
        names = Names(self._pseudonym, record.home)
        try:
            data = publication.convert(log.event(record), names)
        except Exception:  # noqa: BLE001 # as for clients: one event that cannot be read must not end a stream
            return None
        position = Position.at(record.sequence, record.chain, log.number)
        document = _document(record, position, names, publication, data)
        return RenderedEvent(
            record.sequence,
            names.home(),
            record.topic,
            document["stream"],
            position.token(),
            msgspec.json.encode(document),
            position,
            document["actor"],
            public_time(record.occurred_at, of_account=publication.of_account),
        )

    def of_event(self, event: RenderedEvent) -> RenderedEvent | None:
        """Return what is published of an event that is ready to be sent: its record is read again."""
        (number,) = event.position.partitions
        log = self._logs[number]
        records = log.read(event.sequence - 1, 1)
        return self.of_record(log, records[0]) if records else None


def _document(
    record: Record, position: Position, names: Names, publication: Publication[Any], data: Any
) -> dict[str, Any]:
    """Return the event in the API's form: with pseudonyms, and without what leads to its place or request."""
    (partition,) = position.partitions
    return {
        "id": names.event(partition, record.sequence),
        "type": record.topic,
        "schemaVersion": publication.version,
        "projectId": None if project_of(record) is None else names.home(),
        "stream": names.subject(record.stream),
        "version": 0,
        "sequence": 0,
        "position": position.token(),
        "occurredAt": rfc3339(public_time(record.occurred_at, of_account=publication.of_account)),
        "actor": names.person(record.actor) if record.actor else "",
        "operatedBy": None,
        "commandId": "",
        "correlationId": "",
        "causationId": None,
        "traceparent": None,
        "data": data,
    }
