"""The records of an `eventsourcing` application, which has no commands: each call of its recorder is one."""

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.record import Record


def stream_of(event: StoredEvent) -> str:
    """Return the name of the stream that *event* belongs to."""
    originator: UUID | str = event.originator_id
    return originator.hex if isinstance(originator, UUID) else originator


def application_records(
    events: Sequence[StoredEvent],
    streams: Sequence[str],
    command: str,
    source: str,
    *,
    after: int,
    first_at: int,
    occurred_at: int,
) -> list[Record]:
    """Return the records of *events*, which *command* stores; they are not chained yet.

    *streams* are those of the events. The sequences follow *after*, and *first_at* is the offset at which the
    first record is expected.
    """
    return [
        Record(
            source=source,
            home=stream,
            stream=stream,
            version=event.originator_version,
            topic=event.topic,
            schema=1,
            data=event.state,
            sequence=after + index,
            at=first_at + index - 1,
            command=command,
            commit_index=index,
            commit_count=len(events),
            occurred_at=occurred_at,
            actor="",
            correlation=command,
            causation=None,
            traceparent=None,
            fingerprint=None,
        )
        for index, (event, stream) in enumerate(zip(events, streams, strict=True), 1)
    ]
