"""The span of projecting records: a child of the append that they came from, or linked to several."""

from collections.abc import Sequence
from typing import Protocol

from domain.record import Record
from telemetry import tracing
from telemetry.tracing import Kind


class RequestReader(Protocol):
    """An object that knows the request of a record: a log, or what reads records."""

    def request_of(self, record: Record) -> tuple[str, str | None]:
        """Return the correlation and the trace context of *record* as they are shown: none of the erased."""
        ...


def projecting(
    reader: RequestReader,
    records: Sequence[Record],
    partition: int,
    models: str,
    began: int | None = None,
) -> tracing.within:
    """Project *records* for *models* in a block; it has a span where one of them belongs to a trace.

    *began* is when the work on them began, in nanoseconds since 1970. The contexts of erased people's records
    are forgotten with them.
    """
    if not tracing.enabled():
        return tracing.within(tracing.NONE)
    contexts = tracing.distinct(
        reader.request_of(record)[1] for record in records if tracing.sampled(record.traceparent)
    )
    attributes: dict[str, str | int] = {
        "messaging.operation.type": "process",
        "messaging.batch.message_count": len(records),
        "codepark.partition": partition,
        "codepark.models": models,
    }
    return tracing.within(tracing.follow(contexts, "project", Kind.CONSUMER, attributes, began=began))
