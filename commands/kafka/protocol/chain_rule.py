"""The one place that tells which messages of a partition count.

A message counts only if it extends the chain: its chain value is made with that of the last counted message. Whoever
extends the tip first, in log order, wins; what others wrote on the same tip is void for every reader. All readers of
the log go through this module, so all agree on one history.
"""

from msgspec import Struct
from msgspec.structs import replace

from commands.chain import TRACKING, first_chain, link, link_leaf
from commands.kafka.prefetch.message import Examined, Found
from commands.kafka.protocol.message import (
    OPENED,
    TRACKED,
    MalformedError,
    Message,
    lies_at_its_place,
    split_chain,
    to_record,
)
from commands.log import LogCorruptError, Tip
from domain.record import Record

NO_TIP = Tip(0, b"", 0)


class Place(Struct, frozen=True, kw_only=True):
    """Where a reader of one partition is.

    *next_offset* is the first offset that it has not looked at, *counted_at* the offset of the last counted message
    (-1 before the first), *tip* what that message left behind. *log_id* and *partitions* come from the partition's
    first counted message.
    """

    next_offset: int = 0
    counted_at: int = -1
    tip: Tip = NO_TIP
    log_id: str = ""
    partitions: int = 0

    @property
    def opened(self) -> bool:
        """Tell whether the log has been opened: before that nothing counts."""
        return bool(self.log_id)


class Counted(Struct, frozen=True):
    """A message that counts. *record* is None for one that only opens the log or keeps a tracking record."""

    record: Record | None
    tracking: bytes | None = None


class Void(Struct, frozen=True):
    """A message that does not count. *false_history* tells that it lies where its writer expected it.

    An honest writer with an old view finds somebody's record where it expected its own. One whose record lies at its
    place and still does not extend the chain knows another history than this reader.
    """

    offset: int
    reason: str
    false_history: bool = False


class Counting:
    """Apply the chain rule to the messages of one partition, in the order of their offsets."""

    def __init__(self, partition: int, place: Place | None = None) -> None:
        """Go on from *place*."""
        self.partition = partition
        self.place = place or Place()

    def take(self, message: Found) -> Counted | Void:
        """Look at the next message; where it is examined already, what needs no predecessor is done.

        Raises LogCorruptError where a message extends the chain and contradicts it: a wrong sequence, unreadable
        headers, another number of partitions.
        """
        if isinstance(message, Examined):
            return self._take_examined(message)
        place = self.place
        found = split_chain(message)
        if found is None:
            return self._void(message.offset, "no chain: it is not a record of this log")
        if not place.opened:
            return self._open(message, found.chain, found.values)
        if found.chain != link(place.tip.chain, found.covered):
            return self._extends_nothing(
                message.offset, at_its_place=lies_at_its_place(message, found.values)
            )
        return self._count(place, message, found.chain, found.values)

    def _take_examined(self, item: Examined) -> Counted | Void:
        place = self.place
        if not place.opened:
            return self._void(item.offset, "it does not open the log")
        if item.record.chain != link_leaf(place.tip.chain, item.leaf):
            return self._extends_nothing(item.offset, at_its_place=item.at_its_place)
        return self._append(place, item.offset, item.record, item.tracking)

    def _void(self, offset: int, reason: str, *, false_history: bool = False) -> Void:
        self.place = replace(self.place, next_offset=offset + 1)
        return Void(offset, reason, false_history)

    def _extends_nothing(self, offset: int, *, at_its_place: bool) -> Void:
        return self._void(offset, "it does not extend the chain", false_history=at_its_place)

    def _open(self, message: Message, chain: bytes, values: dict[str, bytes]) -> Counted | Void:
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
        self.place = Place(
            next_offset=message.offset + 1,
            counted_at=message.offset,
            tip=Tip(0, first, 0),
            log_id=log_id,
            partitions=partitions,
        )
        return Counted(None)

    def _count(self, place: Place, message: Message, chain: bytes, values: dict[str, bytes]) -> Counted:
        if values.get("ce_type") == TRACKED.encode():
            tip = Tip(place.tip.sequence, chain, place.tip.occurred_at)
            self._advance(place, message.offset, tip)
            return Counted(None, values.get(TRACKING))
        try:
            record = to_record(message, chain, values)
        except MalformedError as error:
            raise LogCorruptError(f"{error}, although it extends the chain") from error
        return self._append(place, message.offset, record, values.get(TRACKING))

    def _append(self, place: Place, offset: int, record: Record, tracking: bytes | None) -> Counted:
        if record.sequence != place.tip.sequence + 1:
            raise LogCorruptError(
                f"the record at offset {offset} has sequence {record.sequence}, not {place.tip.sequence + 1}"
            )
        if record.occurred_at < place.tip.occurred_at:
            raise LogCorruptError(f"the event time goes back at offset {offset}")
        self._advance(place, offset, Tip(record.sequence, record.chain, record.occurred_at))
        return Counted(record, tracking)

    def _advance(self, place: Place, offset: int, tip: Tip) -> None:
        self.place = Place(
            next_offset=offset + 1,
            counted_at=offset,
            tip=tip,
            log_id=place.log_id,
            partitions=place.partitions,
        )


def opening_headers(log_id: str, partition: int, partitions: int) -> list[tuple[str, bytes]]:
    """Return the headers of the message that opens a partition of a new log."""
    return [
        ("ce_type", OPENED.encode()),
        ("chain", first_chain(log_id, partition, partitions)),
        ("log", log_id.encode()),
        ("partition", b"%d" % partition),
        ("partitions", b"%d" % partitions),
    ]
