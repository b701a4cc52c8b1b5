"""From what commands cause to chained records: the one place that gives out sequences and chain values."""

from collections.abc import Sequence

from commands.chain import chained
from commands.log import CommandEvents, Tip
from commands.mapper import EventMapper
from domain.record import Record


def chain_batch(mapper: EventMapper, source: str, tip: Tip, batch: Sequence[CommandEvents]) -> list[Record]:
    """Return the records of *batch*, chained behind *tip* and numbered without gap."""
    records: list[Record] = []
    chain, sequence = tip.chain, tip.sequence
    for command in batch:
        count = len(command.events)
        for index, item in enumerate(command.events, 1):
            sequence += 1
            record = Record(
                source=source, home=command.home, stream=item.stream, version=item.version,
                topic=item.event.TOPIC, schema=item.event.VERSION, data=mapper.data(item.event),
                sequence=sequence, at=sequence - 1, command=command.command, commit_index=index,
                commit_count=count, occurred_at=command.occurred_at, actor=command.actor,
                correlation=command.correlation, causation=command.causation,
                traceparent=command.traceparent,
                fingerprint=command.fingerprint if index == 1 else None,
            )  # fmt: skip
            chain = chained(record, chain)
            records.append(record)
    return records
