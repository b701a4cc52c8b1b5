"""The one place that decides which messages of a partition count.

A message counts only if it extends the chain: its chain value is made with that of the last counted message.
The writer that extends the tip first, in log order, wins; what others wrote on the same tip is void for every
reader. All readers of the log use this module, so they all agree on one history.
"""

from msgspec import Struct
from msgspec.structs import replace

from commands.chain import first_chain, link, link_leaf
from commands.kafka.prefetch.message import IncomingMessage, PrefetchedRecord
from commands.kafka.protocol.message import (
    OPENED,
    TRACKED,
    MalformedError,
    Message,
    is_at_expected_offset,
    split_chain,
    to_record,
)
from commands.log import LogCorruptError, Tip
from commands.record_headers import TRACKING
from domain.record import Record

NO_TIP = Tip(0, b"", 0)


class LogCheckpoint(Struct, frozen=True, kw_only=True):
    """How far a reader has read one partition.

    *next_offset* is the first offset that it has not looked at, *counted_at* the offset of the last counted
    message (-1 before the first), *tip* the tip after that message. *log_id* and *partitions* come from the
    partition's first counted message.
    """

    next_offset: int = 0
    counted_at: int = -1
    tip: Tip = NO_TIP
    log_id: str = ""
    partitions: int = 0

    @property
    def opened(self) -> bool:
        """Return whether the log has been opened; before that, nothing counts."""
        return bool(self.log_id)

    def moved_to(self, offset: int) -> "LogCheckpoint":
        """Return the checkpoint after everything below *offset* was looked at and nothing more counted."""
        return self if offset <= self.next_offset else replace(self, next_offset=offset)

    def after(self, offset: int, tip: Tip) -> "LogCheckpoint":
        """Return the checkpoint after the counted message at *offset*, which leads to *tip*."""
        return LogCheckpoint(
            next_offset=offset + 1,
            counted_at=offset,
            tip=tip,
            log_id=self.log_id,
            partitions=self.partitions,
        )


class CountedMessage(Struct, frozen=True):
    """A message that counts. *record* is None where it only opens the log or holds a tracking record."""

    record: Record | None
    tracking: bytes | None = None


class VoidMessage(Struct, frozen=True):
    """A message that does not count. *false_history* says that it lies where its writer expected it.

    An honest writer with an old view finds another writer's record where it expected its own. A writer whose
    record lies at the expected offset and still does not extend the chain knows another history than this
    reader.
    """

    offset: int
    reason: str
    false_history: bool = False


class ChainRule:
    """Judges the messages of one partition, in the order of their offsets."""

    def __init__(self, partition: int, checkpoint: LogCheckpoint | None = None) -> None:
        """Continue after *checkpoint*."""
        self.partition = partition
        self.checkpoint = checkpoint or LogCheckpoint()

    def judge(self, message: IncomingMessage) -> CountedMessage | VoidMessage:
        """Return the verdict on the next message; a prefetched one only has to be linked to the tip.

        Raises LogCorruptError where a message extends the chain and contradicts it: a wrong sequence,
        unreadable headers, another number of partitions.
        """
        if isinstance(message, PrefetchedRecord):
            return self._judge_prefetched(message)
        checkpoint = self.checkpoint
        parts = split_chain(message)
        if parts is None:
            return self._void(message.offset, "no chain: it is not a record of this log")
        if not checkpoint.opened:
            return self._open(message, parts.chain, parts.values)
        if parts.chain != link(checkpoint.tip.chain, parts.covered):
            expected = is_at_expected_offset(message, parts.values)
            return self._extends_nothing(message.offset, at_expected_offset=expected)
        return self._count(checkpoint, message, parts.chain, parts.values)

    def _judge_prefetched(self, message: PrefetchedRecord) -> CountedMessage | VoidMessage:
        checkpoint = self.checkpoint
        if not checkpoint.opened:
            return self._void(message.offset, "it does not open the log")
        if message.record.chain != link_leaf(checkpoint.tip.chain, message.leaf):
            return self._extends_nothing(message.offset, at_expected_offset=message.at_expected_offset)
        return self._append(checkpoint, message.offset, message.record, message.tracking)

    def _void(self, offset: int, reason: str, *, false_history: bool = False) -> VoidMessage:
        self.checkpoint = self.checkpoint.moved_to(offset + 1)
        return VoidMessage(offset, reason, false_history)

    def _extends_nothing(self, offset: int, *, at_expected_offset: bool) -> VoidMessage:
        return self._void(offset, "it does not extend the chain", false_history=at_expected_offset)

    def _open(self, message: Message, chain: bytes, values: dict[str, bytes]) -> CountedMessage | VoidMessage:
        try:
            log_id = values["log"].decode()
            partition, partitions = int(values["partition"]), int(values["partitions"])
        except (KeyError, ValueError):
            return self._void(message.offset, "it does not open the log")
        if values.get("ce_type") != OPENED.encode() or partition != self.partition or not log_id:
            return self._void(message.offset, "it does not open this partition")
        first = first_chain(log_id, partition, partitions)
        if chain != first:
            return self._void(message.offset, "it does not open the log")
        self.checkpoint = LogCheckpoint(
            next_offset=message.offset + 1,
            counted_at=message.offset,
            tip=Tip(0, first, 0),
            log_id=log_id,
            partitions=partitions,
        )
        return CountedMessage(None)

    def _count(
        self, checkpoint: LogCheckpoint, message: Message, chain: bytes, values: dict[str, bytes]
    ) -> CountedMessage:
        if values.get("ce_type") == TRACKED.encode():
            tip = Tip(checkpoint.tip.sequence, chain, checkpoint.tip.occurred_at)
            self.checkpoint = checkpoint.after(message.offset, tip)
            return CountedMessage(None, values.get(TRACKING))
        try:
            record = to_record(message, chain, values)
        except MalformedError as error:
            raise LogCorruptError(f"{error}, although it extends the chain") from error
        return self._append(checkpoint, message.offset, record, values.get(TRACKING))

    def _append(
        self, checkpoint: LogCheckpoint, offset: int, record: Record, tracking: bytes | None
    ) -> CountedMessage:
        tip = checkpoint.tip
        if record.sequence != tip.sequence + 1:
            raise LogCorruptError(
                f"the record at offset {offset} has sequence {record.sequence}, not {tip.sequence + 1}"
            )
        if record.occurred_at < tip.occurred_at:
            raise LogCorruptError(f"the event time goes back at offset {offset}")
        self.checkpoint = checkpoint.after(offset, Tip(record.sequence, record.chain, record.occurred_at))
        return CountedMessage(record, tracking)


def opening_headers(log_id: str, partition: int, partitions: int) -> list[tuple[str, bytes]]:
    """Return the headers of the message that opens a partition of a new log."""
    return [
        ("ce_type", OPENED.encode()),
        ("chain", first_chain(log_id, partition, partitions)),
        ("log", log_id.encode()),
        ("partition", b"%d" % partition),
        ("partitions", b"%d" % partitions),
    ]
