"""An event as clients and auditors see it."""

from typing import Any

import msgspec
from msgspec import Struct

from commands.log import EventLog
from commands.mapper import ERASED
from commands.position import Position
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record
from domain.times import rfc3339

TECHNICAL = ("command.", "log.")
"""Events whose names begin so concern the log itself."""


class Shown(Struct, frozen=True):
    """An event ready to send: what filters need, and its JSON."""

    sequence: int
    home: str
    topic: str
    stream: str
    token: str
    json: bytes


def shown(log: EventLog, record: Record) -> Shown:
    """Return *record* as clients see it; an event that cannot be read shows its data as null."""
    token = Position.at(record.sequence, record.chain).token()
    return Shown(
        record.sequence,
        record.home,
        record.topic,
        record.stream,
        token,
        msgspec.json.encode(event_document(log, record, token)),
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
        data = msgspec.to_builtins(log.event(record))
    except Exception:  # noqa: BLE001 # one event that cannot be read must not end a stream of them
        return None
    if "passwordHash" in data:
        data["passwordHash"] = ERASED
    return data


def project_of(record: Record) -> str | None:
    """Return the project that the event belongs to."""
    kind = record.stream.partition("-")[0]
    outside = kind in ("account", "claim", "inbox", "announcement") or record.home == ACCOUNTS_HOME
    return None if outside else record.home
