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
from streams.public.publications import publication_of


class PublishedEvents:
    """What is published of the records of *logs*, with the pseudonyms of an installation."""

    def __init__(self, logs: Logs[Any], secrets: Secrets) -> None:
        """Derive the pseudonyms from *secrets*."""
        self._logs = logs
        self._names = Names(keyed_pseudonyms(secrets))

    def of_record(self, log: EventLog, record: Record) -> RenderedEvent | None:
        """Return what is published of *record*; None where that is nothing, or the event cannot be read."""
        publication = publication_of(record.topic)
        if publication is None:
            return None
        try:
            data = publication.convert(log.event(record), self._names)
        except Exception:  # noqa: BLE001 # as for clients: one event that cannot be read must not end a stream
            return None
        position = Position.at(record.sequence, record.chain, log.number)
        document = self._document(record, position, publication.version, data)
        return RenderedEvent(
            record.sequence,
            record.home,
            record.topic,
            document["stream"],
            position.token(),
            msgspec.json.encode(document),
            position,
            document["actor"],
            record.occurred_at,
        )

    def of_event(self, event: RenderedEvent) -> RenderedEvent | None:
        """Return what is published of an event that is ready to be sent: its record is read again."""
        (number,) = event.position.partitions
        log = self._logs[number]
        records = log.read(event.sequence - 1, 1)
        return self.of_record(log, records[0]) if records else None

    def _document(self, record: Record, position: Position, version: int, data: Any) -> dict[str, Any]:
        """Return the event in the API's form, with pseudonyms, and without the ids that lead to a request."""
        (partition,) = position.partitions
        return {
            "id": f"{partition}-{record.sequence}",
            "type": record.topic,
            "schemaVersion": version,
            "projectId": project_of(record),
            "stream": self._names.subject(record.stream),
            "version": record.version,
            "sequence": record.sequence,
            "position": position.token(),
            "occurredAt": rfc3339(record.occurred_at),
            "actor": self._names.person(record.actor) if record.actor else "",
            "operatedBy": None,
            "commandId": "",
            "correlationId": "",
            "causationId": None,
            "traceparent": None,
            "data": data,
        }
