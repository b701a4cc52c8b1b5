"""Project a batch of records for some models: pure but for what the projectors' `prepare` does."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.event import Event
from domain.record import Record
from projections.model import ReadModel
from projections.store import Change, Checkpoint, DeadLetter, StoreUnavailableError
from projections.writes import Write


class Decoded(Struct, frozen=True):
    """A record with its event, or with the reason why it cannot be read."""

    record: Record
    event: Event | None
    reason: str | None


class EventReader(Protocol):
    """Who can read the event of a record: a log, or a mapper alone."""

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version."""
        ...


class PoisonError(Exception):
    """A projector cannot handle an event; a rebuild stops on it."""

    def __init__(self, model: str, record: Record, reason: str) -> None:
        """Keep which one."""
        super().__init__(f"{model} cannot take {record.topic} at {record.sequence}: {reason}")
        self.record = record
        self.reason = reason


def decode(reader: EventReader, records: Sequence[Record]) -> list[Decoded]:
    """Read the events of *records*; one that cannot be read is kept with its reason."""
    decoded = []
    for record in records:
        try:
            decoded.append(Decoded(record, reader.event(record), None))
        except Exception as error:  # noqa: BLE001 # whatever the reason, it belongs to this event alone
            decoded.append(Decoded(record, None, _reason(error)))
    return decoded


def project(
    model: ReadModel, batch: Sequence[Decoded], checkpoint: Checkpoint, upto: int, partition: int = 0
) -> Change:
    """Return what *batch* does to *model*, whose checkpoint may lie within it; *upto* is the sequence it leads to.

    An event that fails becomes a dead letter and blocks its stream; the stream's later events queue behind it.
    """
    blocked = set(checkpoint.blocked)
    writes: list[tuple[int, Sequence[Write]]] = []
    letters: list[DeadLetter] = []
    for item in _wanted(model, batch, checkpoint):
        record = item.record
        if record.stream in blocked:
            letters.append(_letter(model, record, None, partition))
            continue
        try:
            done = project_one(model, item)
        except PoisonError as error:
            blocked.add(record.stream)
            letters.append(_letter(model, record, error.reason, partition))
            continue
        if done:
            writes.append((record.sequence, done))
    return Change(
        model=model.name,
        writes=writes,
        checkpoint=Checkpoint(sequence=max(upto, checkpoint.sequence), blocked=frozenset(blocked)),
        dead_letters=letters,
        partition=partition,
    )


def project_one(model: ReadModel, item: Decoded) -> Sequence[Write]:
    """Return the writes of one event; raises PoisonError."""
    if item.event is None:
        raise PoisonError(model.name, item.record, item.reason or "unreadable")
    try:
        return tuple(model.project(item.event, item.record))
    except StoreUnavailableError:
        raise  # a part that is away: the event is not to blame
    except Exception as error:
        raise PoisonError(model.name, item.record, _reason(error)) from error


def _wanted(model: ReadModel, batch: Sequence[Decoded], checkpoint: Checkpoint) -> Sequence[Decoded]:
    """Leave out what the model has seen and does not want, and what `prepare` finds superfluous."""
    topics, seen = model.topics, checkpoint.sequence
    if topics is None and model.prepare is None and (not batch or batch[0].record.sequence > seen):
        return batch
    wanted = [
        item
        for item in batch
        if item.record.sequence > seen and (topics is None or item.record.topic in topics)
    ]
    return wanted if model.prepare is None or not wanted else _prepared(model, wanted, checkpoint)


def _prepared(model: ReadModel, wanted: Sequence[Decoded], checkpoint: Checkpoint) -> Sequence[Decoded]:
    """Let the model work ahead, and leave out what it then finds superfluous."""
    assert model.prepare is not None  # noqa: S101 # the caller checked it
    readable = [
        (item.event, item.record)
        for item in wanted
        if item.event is not None and item.record.stream not in checkpoint.blocked
    ]
    try:
        kept = {record.sequence for _, record in model.prepare(readable)}
    except StoreUnavailableError:
        raise
    except Exception:  # noqa: BLE001 # then each event shows for itself whether it can be projected
        return wanted
    dropped = {record.sequence for _, record in readable} - kept
    return [item for item in wanted if item.record.sequence not in dropped]


def _letter(model: ReadModel, record: Record, reason: str | None, partition: int) -> DeadLetter:
    return DeadLetter(
        model=model.name,
        stream=record.stream,
        sequence=record.sequence,
        topic=record.topic,
        reason=reason,
        partition=partition,
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
