"""An event as clients and auditors see it."""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from commands.log import EventLog
from commands.mapper import secret_fields
from commands.position import Position
from domain.event import ERASED
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record
from domain.times import rfc3339

TECHNICAL = ("command.", "log.")
"""Events whose names begin so concern the log itself."""

_POSITION = b'"position":"%s"'


class Shown(Struct, frozen=True):
    """An event ready to send: what filters need, and its JSON, which names *token*, the position behind it."""

    sequence: int
    home: str
    topic: str
    stream: str
    token: str
    json: bytes
    place: Position

    def at(self, position: Position) -> "Shown":
        """Return this event as the last one before *position*, which may tell of other partitions too."""
        if len(position.partitions) == 1:
            return self
        token = position.token()
        # No name or value before the position holds a quote that is not escaped: the first of these is the position.
        written = self.json.replace(_POSITION % self.token.encode(), _POSITION % token.encode(), 1)
        return replace(self, token=token, json=written)


def shown(log: EventLog, record: Record) -> Shown:
    """Return *record* as clients see it; an event that cannot be read shows its data as null."""
    place = Position.at(record.sequence, record.chain, log.number)
    token = place.token()
    return Shown(
        record.sequence,
        record.home,
        record.topic,
        record.stream,
        token,
        msgspec.json.encode(event_document(log, record, token)),
        place,
    )


def event_document(log: EventLog, record: Record, token: str) -> dict[str, Any]:
    """Return *record* as a JSON object."""
    return {
        "id": record.id,
        "type": record.topic,
        "schemaVersion": record.schema,
        "projectId": project_of(record),
        "stream": record.stream,
        "version": record.version,
        "sequence": record.sequence,
        "position": token,
        "occurredAt": rfc3339(record.occurred_at),
        "actor": record.actor,
        "commandId": record.command,
        "correlationId": record.correlation,
        "causationId": record.causation,
        "traceparent": record.traceparent,
        "data": _data(log, record),
    }


def _data(log: EventLog, record: Record) -> Any:
    try:
        event = log.event(record)
        data = msgspec.to_builtins(event)
    except Exception:  # noqa: BLE001 # one event that cannot be read must not end a stream of them
        return None
    return data | dict.fromkeys(secret_fields(type(event)), ERASED)


def project_of(record: Record) -> str | None:
    """Return the project that the event belongs to."""
    kind = record.stream.partition("-")[0]
    outside = kind in ("account", "claim", "inbox", "announcement") or record.home == ACCOUNTS_HOME
    return None if outside else record.home
