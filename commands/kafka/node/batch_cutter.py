"""Cut a batch of commands where it is too large for one RecordBatch."""

from collections.abc import Iterator, Sequence

from commands.log import CommandEvents
from commands.stream_event import StreamEvent

BATCH_BYTES = 8 * 1024 * 1024
_RECORD_OVERHEAD = 1_500


def cut_batch(batch: Sequence[CommandEvents]) -> Iterator[list[CommandEvents]]:
    """Yield the parts of *batch*, cut between commands wherever a RecordBatch would be over 8 MiB."""
    part: list[CommandEvents] = []
    size = 0
    for command in batch:
        added = sum(map(_size, command.events))
        if part and size + added > BATCH_BYTES:
            yield part
            part, size = [], 0
        part.append(command)
        size += added
    if part:
        yield part


def _size(stream_event: StreamEvent) -> int:
    """Estimate the size of an event's record: its large texts, and what every record takes."""
    event = stream_event.event
    texts = (getattr(event, name) for name in event.__struct_fields__)
    return _RECORD_OVERHEAD + sum(len(text) for text in texts if isinstance(text, str))
