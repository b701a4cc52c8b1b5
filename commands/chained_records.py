"""From the events of commands to chained records: the one place that assigns sequences and chain values."""

from collections.abc import Sequence

from commands.chain import chain_in_place
from commands.log import CommandEvents, Tip
from commands.mapper import EventMapper
from domain.record import Record


def number_batch(
    mapper: EventMapper, source: str, tip: Tip, batch: Sequence[CommandEvents], first_at: int | None = None
) -> list[Record]:
    """Return the records of *batch*, numbered without gap after *tip* and not chained yet.

    *first_at* is the offset at which the first of them is expected; without it, the sequence before a record
    stands for its offset.
    """
    records: list[Record] = []
    sequence, at = tip.sequence, tip.sequence if first_at is None else first_at
    for command in batch:
        count, correlation = len(command.events), mapper.request_ids.stored(command)
        for index, stream_event in enumerate(command.events, 1):
            sequence += 1
            record = Record(
                source=source,
                home=command.home,
                stream=stream_event.stream,
                version=stream_event.version,
                topic=stream_event.event.TOPIC,
                schema=stream_event.event.VERSION,
                data=mapper.data(stream_event.event),
                sequence=sequence,
                at=at,
                command=command.command,
                commit_index=index,
                commit_count=count,
                occurred_at=command.occurred_at,
                actor=command.actor,
                operated_by=command.operated_by,
                correlation=correlation,
                causation=command.causation,
                traceparent=command.traceparent,
                fingerprint=command.fingerprint if index == 1 else None,
            )
            at += 1
            records.append(record)
    return records


def chain_batch(mapper: EventMapper, source: str, tip: Tip, batch: Sequence[CommandEvents]) -> list[Record]:
    """Return the records of *batch*, numbered without gap and chained after *tip*."""
    records, chain = number_batch(mapper, source, tip, batch), tip.chain
    for record in records:
        chain = chain_in_place(record, chain)
    return records
