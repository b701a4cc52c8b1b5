"""The recorders of the persistence module: the library's interfaces over the log on Kafka."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    ListenNotifySubscription,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from commands.kafka.library.store import LogStore


class KafkaAggregateRecorder(AggregateRecorder):
    """Stores and selects the events of aggregates."""

    def __init__(self, store: LogStore) -> None:
        """Use *store*."""
        self.store = store

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append the events, all or none; raises IntegrityError where a version exists."""
        tracking: Tracking | None = kwargs.get("tracking")
        if not stored_events and tracking is None:
            return self._ids(())
        return self._ids(self.store.insert(stored_events, tracking))

    def _ids(self, ids: Sequence[int]) -> Sequence[int] | None:
        """Return what an insert returns: an aggregate recorder has no sequence of its own."""
        del ids
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of an aggregate."""
        return self.store.reading.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)


class KafkaApplicationRecorder(KafkaAggregateRecorder, ApplicationRecorder):
    """Stores and selects the events of an application in one sequence without gaps."""

    def _ids(self, ids: Sequence[int]) -> Sequence[int] | None:
        return list(ids)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return notifications; their ids are the partition's own gapless sequence, never Kafka's offsets."""
        return self.store.reading.select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )

    def max_notification_id(self) -> int | None:
        """Return the last notification id, None where there is none."""
        return self.store.reading.max_notification_id()

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an iterator of notifications after *gt* that waits for new ones."""
        return KafkaSubscription(self, gt, topics)


class KafkaSubscription(ListenNotifySubscription[KafkaApplicationRecorder]):
    """Pulls notifications whenever the log has grown."""

    def __init__(
        self, recorder: KafkaApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        """Begin after *gt*."""
        super().__init__(recorder, gt, topics)
        recorder.store.listen(self._has_been_notified.set)
        self._has_been_notified.set()  # something may have come between the first pull and the line above

    def stop(self) -> None:
        """End the iteration."""
        if not self._has_been_stopped:
            self._recorder.store.unlisten(self._has_been_notified.set)
        super().stop()


class KafkaTrackingRecorder(TrackingRecorder):
    """Stores how far other applications have been processed."""

    def __init__(self, store: LogStore) -> None:
        """Use *store*."""
        self.store = store

    def insert_tracking(self, tracking: Tracking) -> None:
        """Store *tracking*; raises IntegrityError unless it is a later one."""
        self.store.insert((), tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the last tracked notification id of an application."""
        return self.store.tracked(application_name)


class KafkaProcessRecorder(KafkaTrackingRecorder, KafkaApplicationRecorder, ProcessRecorder):
    """Stores events, and which notification they come from, in one atomic batch."""
