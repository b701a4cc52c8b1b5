"""What a worker knows of one partition: how far its models are, and what a batch of messages does to them.

Nothing here speaks to Kafka, and nothing is asynchronous: a worker calls it in a thread, one call at a time.
"""

from collections.abc import Iterable, Sequence

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, LogCheckpoint, VoidMessage
from commands.kafka.protocol.message import Message
from commands.mapper import RecordEvents
from commands.summed_log import SummedLog
from domain.record import Record
from projections.model import ReadModel
from projections.store import Change, Checkpoint, DeadLetter, DocumentStore
from streams.batch_projection import decode, project
from streams.put_off_work import PutOffWork

logger = structlog.get_logger(__name__)

START = LogCheckpoint()
_decoder = msgspec.msgpack.Decoder(LogCheckpoint)


class Step(Struct, frozen=True, kw_only=True):
    """What a batch of messages leads to; nothing of it is stored yet. *void* counts the void messages."""

    before: LogCheckpoint
    after: LogCheckpoint
    records: Sequence[Record]
    changes: Sequence[Change]
    originals: dict[int, Message]
    void: int

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters of all models."""
        return [letter for change in self.changes for letter in change.dead_letters]


class PartitionProjector:
    """The checkpoints of the models in one partition.

    A batch is projected, then stored. In between, the caller does what must come first (dead letters, public
    messages). If that fails, the batch can be stored later or projected again, for `log_checkpoint` moves
    only in `store_step`.
    """

    def __init__(
        self, partition: int, models: Sequence[ReadModel], store: DocumentStore, events: RecordEvents
    ) -> None:
        """Project *models* into *store*; call `load` first."""
        self.partition = partition
        self.models = tuple(models)
        self.names = ",".join(model.name for model in self.models)
        self.store = store
        self.events = events
        self.log_checkpoint = START
        self.checkpoints: dict[str, Checkpoint] = {}
        self._void_log = SummedLog("void record")
        self._put_off = PutOffWork(self.models, partition)

    def load(self) -> LogCheckpoint:
        """Load the stored checkpoints; return where to resume reading. Raises StoreUnavailableError.

        Reading resumes at the model that is furthest behind. The others leave out the events that their
        sequences include, so that no event is projected twice.
        """
        stored = self.store.checkpoints(self.partition)
        self.checkpoints = {model.name: stored[model.name] for model in self.models}
        self.log_checkpoint = start_of(self.checkpoints.values())
        return self.log_checkpoint

    def reload(self) -> bool:
        """Load checkpoints that another process has moved; return whether a model is now behind.

        Then the log checkpoint has moved back, and the messages in between must be read again.
        """
        before = self.log_checkpoint
        self.load()
        if self.position < before.tip.sequence:
            return True
        self.log_checkpoint = before
        return False

    @property
    def position(self) -> int:
        """Return the sequence that every model includes."""
        return min(checkpoint.sequence for checkpoint in self.checkpoints.values())

    def project(self, messages: Sequence[Message], next_offset: int = 0) -> Step:
        """Judge *messages*, which follow the log checkpoint without a gap, and project the counted records.

        *next_offset* is the offset after *messages*, if it is beyond them because of markers of transactions.
        Raises LogCorruptError and StoreUnavailableError.
        """
        rule = ChainRule(self.partition, self.log_checkpoint)
        records, originals = [], {}
        void = 0
        for message in messages:
            verdict = rule.judge(message)
            if not isinstance(verdict, CountedMessage):
                void += 1
                self._note_void(verdict)
            elif verdict.record is not None:
                records.append(verdict.record)
                originals[verdict.record.sequence] = message
        after = rule.checkpoint.moved_to(next_offset)
        return Step(
            before=self.log_checkpoint,
            after=after,
            records=records,
            changes=self._changes(records, after),
            originals=originals,
            void=void,
        )

    def wanted(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return those of *records* that a model projects."""
        if any(model.topics is None for model in self.models):
            return records
        return [r for r in records if any(r.topic in (model.topics or ()) for model in self.models)]

    def _note_void(self, message: VoidMessage) -> None:
        """Log a false history always, and sum up the records of writers that another one was faster than."""
        about = {"partition": self.partition, "offset": message.offset, "reason": message.reason}
        if message.false_history:
            logger.error("void record", **about)
        else:
            self._void_log.note(logger.info, **about)

    def _changes(self, records: Sequence[Record], after: LogCheckpoint) -> list[Change]:
        batch, packed = decode(self.events, records), pack(after)
        changes = []
        for model in self.models:
            checkpoint = self.checkpoints[model.name]
            change = project(model, batch, checkpoint, after.tip.sequence, self.partition)
            resume_at = packed if checkpoint.sequence <= after.tip.sequence else checkpoint.resume_at
            changes.append(replace(change, checkpoint=replace(change.checkpoint, resume_at=resume_at)))
        return changes

    def store_step(self, step: Step) -> None:
        """Apply the writes of *step*, then move on; raises StoreUnavailableError without moving."""
        if step.records:
            self.store.apply(step.changes)
            for change in step.changes:
                self.checkpoints[change.model] = change.checkpoint
        self.log_checkpoint = step.after

    def has_turn(self) -> bool:
        """Return whether there may be work that a model has put off."""
        return self._put_off.due()

    def take_turn(self) -> frozenset[str]:
        """Do and store one turn of the work that models have put off; return the homes that it changed.

        It moves no checkpoint. Raises StoreUnavailableError.
        """
        homes: frozenset[str] = frozenset()
        for model in self._put_off.begin():
            turn = self._put_off.take(model, self.store)
            if turn.writes:
                checkpoint = self.checkpoints[model.name]
                change = Change(
                    model=model.name, writes=turn.writes, checkpoint=checkpoint, partition=self.partition
                )
                self.store.apply([change])
                homes |= turn.homes
        return homes

    def store_changes(self, step: Step) -> None:
        """Apply the changes of a retry, one by one; they move no checkpoint. Raises StoreUnavailableError."""
        for change in step.changes:
            self.store.apply([change])
            self.checkpoints[change.model] = change.checkpoint


def pack(log_checkpoint: LogCheckpoint) -> bytes:
    """Write a log checkpoint as the `resume_at` of a checkpoint."""
    return msgspec.msgpack.encode(log_checkpoint)


def unpack(resume_at: bytes) -> LogCheckpoint:
    """Read the `resume_at` of a checkpoint; without one, reading begins at the start of the log."""
    return _decoder.decode(resume_at) if resume_at else START


def start_of(checkpoints: Iterable[Checkpoint]) -> LogCheckpoint:
    """Return the last known log checkpoint that no model is behind.

    A checkpoint without `resume_at` was stored by a process that does not read Kafka. For it, the log
    checkpoint of another model will do if it is at or before its sequence, else the start of the log.
    """
    known = list(checkpoints)
    least = min((checkpoint.sequence for checkpoint in known), default=0)
    log_checkpoints = [unpack(checkpoint.resume_at) for checkpoint in known]
    return max(
        (each for each in log_checkpoints if each.tip.sequence <= least),
        key=lambda each: each.next_offset,
        default=START,
    )
