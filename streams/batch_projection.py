"""Project a batch of records for one read model: pure, except for what the model's `prepare` does."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.event import Event
from domain.record import Record
from projections.model import ReadModel
from projections.store import Change, Checkpoint, DeadLetter, StoreUnavailableError
from projections.writes import Write


class DecodedRecord(Struct, frozen=True):
    """A record with its event, or with the reason why the event cannot be read."""

    record: Record
    event: Event | None
    reason: str | None


class EventReader(Protocol):
    """An object that can read the event of a record: a log, or a mapper alone."""

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version."""
        ...


class PoisonError(Exception):
    """A projector cannot handle an event; a rebuild stops there."""

    def __init__(self, model: str, record: Record, reason: str) -> None:
        """Keep the record and the reason."""
        super().__init__(f"{model} cannot take {record.topic} at {record.sequence}: {reason}")
        self.record = record
        self.reason = reason


def decode(reader: EventReader, records: Sequence[Record]) -> list[DecodedRecord]:
    """Read the events of *records*; an event that cannot be read is represented by the reason."""
    decoded = []
    for record in records:
        try:
            decoded.append(DecodedRecord(record, reader.event(record), None))
        except Exception as error:  # noqa: BLE001 # whatever the reason, it concerns this event alone
            decoded.append(DecodedRecord(record, None, _reason(error)))
    return decoded


def project(
    model: ReadModel,
    batch: Sequence[DecodedRecord],
    checkpoint: Checkpoint,
    through: int,
    partition: int = 0,
    *,
    resume_at: bytes = b"",
) -> Change:
    """Return what *batch* does to *model*, which then includes every event through the sequence *through*.

    There a reader resumes at *resume_at*.

    The model's checkpoint may lie within the batch. An event that fails becomes a dead letter and blocks its
    stream; later events of the stream wait behind it as dead letters without a reason.
    """
    blocked = set(checkpoint.blocked)
    writes: list[tuple[int, Sequence[Write]]] = []
    dead_letters: list[DeadLetter] = []
    for decoded in _wanted(model, batch, checkpoint):
        record = decoded.record
        if record.stream in blocked:
            dead_letters.append(_dead_letter(model, record, None, partition))
            continue
        try:
            event_writes = project_one(model, decoded)
        except PoisonError as error:
            blocked.add(record.stream)
            dead_letters.append(_dead_letter(model, record, error.reason, partition))
            continue
        if event_writes:
            writes.append((record.sequence * model.positions, event_writes))
    return Change(
        model=model.name,
        writes=writes,
        checkpoint=checkpoint.moved(through, resume_at, frozenset(blocked)),
        dead_letters=dead_letters,
        partition=partition,
    )


def project_strictly(model: ReadModel, batch: Sequence[DecodedRecord]) -> list[tuple[int, Sequence[Write]]]:
    """Return the writes of *batch* by position, for a rebuild; raises PoisonError if an event fails."""
    relevant = batch if model.prepare is None else _prepared(model, batch, frozenset())
    positions = model.positions
    writes = [(decoded.record.sequence * positions, project_one(model, decoded)) for decoded in relevant]
    return [(position, event_writes) for position, event_writes in writes if event_writes]


def project_one(model: ReadModel, decoded: DecodedRecord) -> Sequence[Write]:
    """Return the writes of one event; raises PoisonError."""
    if decoded.event is None:
        raise PoisonError(model.name, decoded.record, decoded.reason or "unreadable")
    try:
        return tuple(model.project(decoded.event, decoded.record))
    except StoreUnavailableError:
        raise  # something that the projector needs is unavailable: the event is not to blame
    except Exception as error:
        raise PoisonError(model.name, decoded.record, _reason(error)) from error


def _wanted(
    model: ReadModel, batch: Sequence[DecodedRecord], checkpoint: Checkpoint
) -> Sequence[DecodedRecord]:
    """Return what the model wants and has not seen, without what `prepare` finds superfluous."""
    topics, seen = model.topics, checkpoint.sequence
    if topics is None and model.prepare is None and (not batch or batch[0].record.sequence > seen):
        return batch
    wanted = []
    for decoded in batch:
        record = decoded.record
        if record.sequence > seen and (topics is None or record.topic in topics):
            wanted.append(decoded)
    return wanted if model.prepare is None or not wanted else _prepared(model, wanted, checkpoint.blocked)


def _prepared(
    model: ReadModel, wanted: Sequence[DecodedRecord], blocked: frozenset[str]
) -> Sequence[DecodedRecord]:
    """Let the model work ahead, and leave out the events that it then finds superfluous."""
    assert model.prepare is not None  # noqa: S101 # the callers checked it
    readable = [
        (decoded.event, decoded.record)
        for decoded in wanted
        if decoded.event is not None and decoded.record.stream not in blocked
    ]
    try:
        relevant = {record.sequence for _, record in model.prepare(readable)}
    except StoreUnavailableError:
        raise
    except Exception:  # noqa: BLE001 # each event shows for itself whether it can be projected
        return wanted
    superfluous = {record.sequence for _, record in readable} - relevant
    return [decoded for decoded in wanted if decoded.record.sequence not in superfluous]


def _dead_letter(model: ReadModel, record: Record, reason: str | None, partition: int) -> DeadLetter:
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
