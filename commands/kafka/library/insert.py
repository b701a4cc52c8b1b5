"""One call of a recorder: what is stored together or not at all, and which calls a group may take."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking
from msgspec import Struct

from commands.application_records import application_records
from commands.chain import source_of
from commands.kafka.protocol.chain_rule import CountedMessage, LogCheckpoint
from commands.kafka.replica.replica import Replica
from domain.times import system_clock

_RECORD_OVERHEAD = 600


class Insert(Struct, kw_only=True):
    """The events and the tracking record of one call, and the future that gets the notification ids."""

    events: Sequence[StoredEvent]
    streams: Sequence[str]
    tracking: Tracking | None
    command: str
    future: "Future[Sequence[int]]"

    @property
    def count(self) -> int:
        """Return how many events there are."""
        return len(self.events)

    @property
    def size(self) -> int:
        """Return about how many bytes it takes in the log."""
        return sum(len(event.state) + _RECORD_OVERHEAD for event in self.events)

    @property
    def versions(self) -> list[tuple[str, int]]:
        """Return the stream and the version of each event."""
        pairs = zip(self.streams, self.events, strict=True)
        return [(stream, event.originator_version) for stream, event in pairs]

    @property
    def answered(self) -> bool:
        """Return whether the future has its result."""
        return self.future.done()

    def resolve(self, sequences: Sequence[int]) -> None:
        """Answer with the events' notification ids."""
        with suppress(InvalidStateError):  # the caller has given up
            self.future.set_result(sequences)

    def fail(self, error: Exception) -> None:
        """Answer with *error* unless it is answered already."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)


class UniquenessCheck:
    """Which versions and tracking records exist, those of the same group included."""

    def __init__(self, replica: Replica, inserts: Iterable[Insert]) -> None:
        """Learn from *replica* what exists of the streams of *inserts*."""
        self._replica = replica
        streams = list({stream for insert in inserts for stream in insert.streams})
        self._highest = replica.highest_versions(streams) if streams else {}
        self._new: set[tuple[str, int]] = set()
        self._tracked: dict[str, int | None] = {}

    def allows(self, insert: Insert) -> bool:
        """Take *insert* into the group, or answer it with an IntegrityError."""
        versions = insert.versions
        if len(set(versions)) < len(versions) or any(map(self._exists, versions)):
            insert.fail(IntegrityError("a version of a stream exists already"))
            return False
        tracking = insert.tracking
        if tracking is not None:
            name = tracking.application_name
            last = self._tracked[name] if name in self._tracked else self._replica.tracked(name)
            if last is not None and tracking.notification_id <= last:
                insert.fail(IntegrityError(f"{name} is tracked up to {last} already"))
                return False
            self._tracked[name] = tracking.notification_id
        self._new.update(versions)
        return True

    def _exists(self, version: tuple[str, int]) -> bool:
        if version in self._new:
            return True
        highest = self._highest.get(version[0])
        return highest is not None and version[1] <= highest and self._replica.has_version(*version)


def messages_of(checkpoint: LogCheckpoint, inserts: Sequence[Insert]) -> list[CountedMessage]:
    """Return what *inserts* append after *checkpoint*, not chained yet."""
    messages: list[CountedMessage] = []
    sequence, source = checkpoint.tip.sequence, source_of(checkpoint.log_id)
    now = max(system_clock(), checkpoint.tip.occurred_at)
    for insert in inserts:
        tracking = _encoded(insert.tracking)
        if not insert.events:
            messages.append(CountedMessage(None, tracking))
        records = application_records(
            insert.events,
            insert.streams,
            insert.command,
            source,
            after=sequence,
            first_at=checkpoint.next_offset + len(messages),
            occurred_at=now,
        )
        sequence += len(records)
        messages += [
            CountedMessage(record, tracking if record.commit_index == 1 else None) for record in records
        ]
    return messages


def _encoded(tracking: Tracking | None) -> bytes | None:
    return None if tracking is None else f"{tracking.application_name}\0{tracking.notification_id}".encode()
