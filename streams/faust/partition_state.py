"""What a worker knows of one partition: how far its models are, and what a batch of messages does to them.

Nothing here speaks to Kafka, and nothing is asynchronous: a worker calls it in a thread, one call at a time.
"""

from collections.abc import Iterable, Sequence

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint
from commands.kafka.protocol.message import Message
from commands.record_events import RecordEvents
from domain.record import Record
from projections.model import ReadModel
from projections.store import Change, Checkpoint, DeadLetter, DocumentStore
from streams.batch_projection import decode, project

logger = structlog.get_logger(__name__)

START = LogCheckpoint()
_places = msgspec.msgpack.Decoder(LogCheckpoint)


class Step(Struct, frozen=True, kw_only=True):
    """What a batch of messages leads to: nothing of it is kept yet."""

    before: LogCheckpoint
    after: LogCheckpoint
    records: Sequence[Record]
    changes: Sequence[Change]
    originals: dict[int, Message]
    void: int

    @property
    def letters(self) -> list[DeadLetter]:
        """Return the dead letters of all models."""
        return [letter for change in self.changes for letter in change.dead_letters]


class PartitionProjector:
    """The models' places in one partition.

    A batch is projected, then kept. Between the two the caller does what must come first (dead letters, public
    messages); whatever fails there, the batch can be kept later or projected again: `place` moves only in `keep`.
    """

    def __init__(
        self, partition: int, models: Sequence[ReadModel], store: DocumentStore, events: RecordEvents
    ) -> None:
        """Project *models* into *store*; `load` comes first."""
        self.partition = partition
        self.models = tuple(models)
        self.store = store
        self.events = events
        self.place = START
        self.checkpoints: dict[str, Checkpoint] = {}

    def load(self) -> LogCheckpoint:
        """Take up the stored checkpoints and return the place to read on from; raises StoreUnavailableError.

        That is the place of the model that is furthest behind. A model that stands elsewhere sees no event twice:
        it leaves out what its sequence includes.
        """
        stored = self.store.checkpoints(self.partition)
        self.checkpoints = {model.name: stored[model.name] for model in self.models}
        self.place = start_of(self.checkpoints.values())
        return self.place

    def reload(self) -> bool:
        """Take up checkpoints that somebody else has moved; tell whether a model now is behind the place.

        Then the place has gone back, and what lies between must be read again.
        """
        before = self.place
        self.load()
        if self.position < before.tip.sequence:
            return True
        self.place = before
        return False

    @property
    def position(self) -> int:
        """Return the sequence that every model includes."""
        return min(checkpoint.sequence for checkpoint in self.checkpoints.values())

    def project(self, messages: Sequence[Message], after: int = 0) -> Step:
        """Count *messages*, which follow the place without gap, and project what counts for every model.

        *after* is the offset behind them where others' markers follow. Raises LogCorruptError, StoreUnavailableError.
        """
        rule = ChainRule(self.partition, self.place)
        records, originals = [], {}
        void = 0
        for message in messages:
            verdict = rule.judge(message)
            if not isinstance(verdict, CountedMessage):
                void += 1
                log = logger.error if verdict.false_history else logger.warning
                log("void record", partition=self.partition, offset=verdict.offset, reason=verdict.reason)
            elif verdict.record is not None:
                records.append(verdict.record)
                originals[verdict.record.sequence] = message
        place = rule.checkpoint.moved_to(after)
        return Step(
            before=self.place,
            after=place,
            records=records,
            changes=self._changes(records, place),
            originals=originals,
            void=void,
        )

    def _changes(self, records: Sequence[Record], place: LogCheckpoint) -> list[Change]:
        batch, packed = decode(self.events, records), packed_place(place)
        changes = []
        for model in self.models:
            checkpoint = self.checkpoints[model.name]
            change = project(model, batch, checkpoint, place.tip.sequence, self.partition)
            mark = packed if checkpoint.sequence <= place.tip.sequence else checkpoint.resume_at
            changes.append(replace(change, checkpoint=replace(change.checkpoint, resume_at=mark)))
        return changes

    def keep(self, step: Step) -> None:
        """Apply the writes of *step* and then move on; raises StoreUnavailableError, and the place stays."""
        if step.records:
            self.store.apply(step.changes)
            for change in step.changes:
                self.checkpoints[change.model] = change.checkpoint
        self.place = step.after

    def keep_changes(self, step: Step) -> None:
        """Apply changes that move no checkpoint, each for itself (a retry); raises StoreUnavailableError."""
        for change in step.changes:
            self.store.apply([change])
            self.checkpoints[change.model] = change.checkpoint


def packed_place(place: LogCheckpoint) -> bytes:
    """Write a place as the mark that is stored with a checkpoint."""
    return msgspec.msgpack.encode(place)


def unpacked_place(mark: bytes) -> LogCheckpoint:
    """Read a checkpoint's mark; without one reading begins at the start of the log."""
    return _places.decode(mark) if mark else START


def start_of(checkpoints: Iterable[Checkpoint]) -> LogCheckpoint:
    """Return the last known place that no model is behind.

    A checkpoint without a mark was stored by somebody who does not read Kafka: another model's place at or before
    its sequence will do, else the start of the log.
    """
    found = list(checkpoints)
    least = min((checkpoint.sequence for checkpoint in found), default=0)
    places = [unpacked_place(checkpoint.resume_at) for checkpoint in found]
    return max(
        (place for place in places if place.tip.sequence <= least),
        key=lambda place: place.next_offset,
        default=START,
    )
