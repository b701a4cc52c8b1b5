"""Events in the form of the API."""

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
"""Topics with these prefixes concern the log itself; only some roles see such events."""

_OUTSIDE = frozenset({"account", "claim", "inbox", "announcement", "feedback"})
"""The kinds of streams that belong to no project."""

_POSITION = b'"position":"%s"'


class RenderedEvent(Struct, frozen=True):
    """An event ready to send: the fields that filters need, and its JSON.

    *position* is the one after the event; the JSON holds it as *token*. *traceparent* is that of the append,
    None where it is not shown.
    """

    sequence: int
    home: str
    topic: str
    stream: str
    token: str
    json: bytes
    position: Position
    actor: str = ""
    occurred_at: int = 0
    traceparent: str | None = None

    def at(self, position: Position) -> "RenderedEvent":
        """Return this event with *position* in place of its own, which names a single partition."""
        if len(position.partitions) == 1:
            return self
        token = position.token()
        # JSON escapes quotes in names and values, so the first match is the field itself.
        json = self.json.replace(_POSITION % self.token.encode(), _POSITION % token.encode(), 1)
        return replace(self, token=token, json=json)


class PendingEvent:
    """An event that is rendered when a subscriber who may see it comes to it, once for all of them."""

    __slots__ = (
        "_log",
        "_record",
        "_rendered",
        "actor",
        "home",
        "occurred_at",
        "position",
        "sequence",
        "size",
        "stream",
        "topic",
    )

    def __init__(self, log: EventLog, record: Record) -> None:
        """Keep *record* of *log*, which nothing has decoded."""
        self.sequence = record.sequence
        self.home = record.home
        self.topic = record.topic
        self.stream = record.stream
        self.actor = record.actor
        self.occurred_at = record.occurred_at
        self.position = Position.at(record.sequence, record.chain, log.number)
        self.size = len(record.data)
        self._log = log
        self._record: Record | None = record
        self._rendered: RenderedEvent | None = None

    @property
    def rendered(self) -> RenderedEvent:
        """Return the event ready to send."""
        rendered, record = self._rendered, self._record
        if rendered is None:
            assert record is not None  # noqa: S101 # it is dropped below, after the other is set
            rendered = self._rendered = render_event(self._log, record)
            self._record = None
        return rendered


def render_event(log: EventLog, record: Record) -> RenderedEvent:
    """Return *record* as clients see it; the data of an event that cannot be decoded is null."""
    position = Position.at(record.sequence, record.chain, log.number)
    token = position.token()
    document = event_document(log, record, token)
    return RenderedEvent(
        record.sequence,
        record.home,
        record.topic,
        record.stream,
        token,
        msgspec.json.encode(document),
        position,
        record.actor,
        record.occurred_at,
        document["traceparent"],
    )


def event_document(log: EventLog, record: Record, token: str) -> dict[str, Any]:
    """Return *record* as a JSON object; *token* is the position after it."""
    correlation, traceparent = log.request_of(record)
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
        "operatedBy": record.operated_by,
        "commandId": record.command,
        "correlationId": correlation,
        "causationId": record.causation,
        "traceparent": traceparent,
        "data": _data(log, record),
    }


def _data(log: EventLog, record: Record) -> Any:
    try:
        event = log.event(record)
        data = msgspec.to_builtins(event)
    except Exception:  # noqa: BLE001 # one event that cannot be decoded must not end the stream
        return None
    return data | dict.fromkeys(secret_fields(type(event)), ERASED)


def project_of(record: Record) -> str | None:
    """Return the id of the event's project, None where it belongs to none."""
    kind = record.stream.partition("-")[0]
    return None if kind in _OUTSIDE or record.home == ACCOUNTS_HOME else record.home
