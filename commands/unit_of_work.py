"""The states that commands are decided on: the settled ones, those of a batch, and those of one command."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, ValidationError

from commands.aggregates import decode_state, encode_state, kind_of, snapshot_topic
from commands.log import EventLog, Snapshot
from commands.stream_event import StreamEvent
from domain.actor import Actor
from domain.event import Event

_CACHED_STREAMS = 20_000
_SNAPSHOT_AFTER = 200
_SNAPSHOT_GROWTH = 1.25


class StreamState(Struct):
    """A stream's state and version, and the version of its last snapshot (0: none)."""

    state: Any
    version: int
    snapshot: int


class SettledStates:
    """The settled states of the partition's streams, loaded from the log and cached while they are used."""

    def __init__(
        self,
        log: EventLog,
        cached: int = _CACHED_STREAMS,
        *,
        log_of: Callable[[str], EventLog] | None = None,
    ) -> None:
        """Load from *log*; cache the states of up to *cached* streams.

        *log_of* returns the log of a home key, which may be another partition's; without it there is one
        partition.
        """
        self._log = log
        self._log_of = log_of
        self._cached = cached
        self._states: dict[str, StreamState] = {}

    def get(self, stream: str) -> StreamState:
        """Return the stream's state; treat it as immutable."""
        entry = self._states.get(stream)
        if entry is None:
            entry = self._states[stream] = load(self._log, stream)
            self._make_room()
        return entry

    def look(self, home: str, stream: str) -> StreamState:
        """Return the state of a stream whose *home* may be in another partition.

        The state of another partition is advisory: it is loaded each time, for nothing reports its changes
        here.
        """
        log = self._log if self._log_of is None else self._log_of(home)
        return self.get(stream) if log is self._log else load(log, stream)

    def prefetch(self, streams: Iterable[str]) -> None:
        """Find out in one step which of *streams* are new: most streams of a busy batch are."""
        unknown = [stream for stream in dict.fromkeys(streams) if stream not in self._states]
        if unknown:
            existing = self._log.existing(unknown)
            for stream in unknown:
                if stream not in existing:
                    self._states[stream] = StreamState(kind_of(stream).initial, 0, 0)
            self._make_room()

    def _make_room(self) -> None:
        """Drop the oldest quarter once there are too many; a state that is still used is loaded again."""
        if len(self._states) > self._cached:
            for stream in list(self._states)[: self._cached // 4]:
                del self._states[stream]

    def settle(self, changed: dict[str, StreamState]) -> None:
        """Take over the states that a settled batch changed."""
        self._states.update(changed)

    def drop(self, streams: Iterable[str]) -> None:
        """Drop the states of *streams*: another writer appended to them."""
        for stream in streams:
            self._states.pop(stream, None)

    def forget(self) -> None:
        """Drop all states: the log may hold other events now."""
        self._states.clear()


class BatchStates:
    """The states that the commands decided so far in a batch have changed, over the settled ones."""

    def __init__(self, settled: SettledStates) -> None:
        """Start with nothing changed."""
        self._settled = settled
        self.changed: dict[str, StreamState] = {}

    def get(self, stream: str) -> StreamState:
        """Return the state that the next command of the batch is decided on."""
        return self.changed.get(stream) or self._settled.get(stream)

    def look(self, home: str, stream: str) -> Any:
        """Return the state of a stream whose *home* may be in another partition."""
        return (self.changed.get(stream) or self._settled.look(home, stream)).state

    def due_snapshots(self) -> list[Snapshot]:
        """Return snapshots of the streams that are due; their distance grows, so that the cost stays flat."""
        due = []
        for stream, entry in self.changed.items():
            grown = max(entry.snapshot * _SNAPSHOT_GROWTH, entry.snapshot + _SNAPSHOT_AFTER)
            if entry.version >= grown and kind_of(stream).snapshots:
                entry.snapshot = entry.version
                topic, state = snapshot_topic(stream), encode_state(entry.state)
                due.append(Snapshot(stream=stream, version=entry.version, topic=topic, state=state))
        return due


class UnitOfWork:
    """What one command loads and records; the batch sees none of it before the unit is committed."""

    def __init__(self, batch: BatchStates, actor: Actor) -> None:
        """Decide for *actor* on top of *batch*."""
        self.actor = actor
        self.events: list[StreamEvent] = []
        self._batch = batch
        self._changed: dict[str, StreamState] = {}

    def load(self, stream: str) -> Any:
        """Return the stream's state, with the events that this command has recorded."""
        return (self._changed.get(stream) or self._batch.get(stream)).state

    def look(self, home: str, stream: str) -> Any:
        """Return the state of a stream of another *home*: advisory, for it may be in another partition."""
        return self._batch.look(home, stream)

    def version(self, stream: str) -> int:
        """Return the stream's version, with the events that this command has recorded."""
        return (self._changed.get(stream) or self._batch.get(stream)).version

    def record(self, stream: str, events: Iterable[Event]) -> None:
        """Append *events* to *stream* within this unit."""
        for event in events:
            entry = self._changed.get(stream)
            if entry is None:
                before = self._batch.get(stream)
                entry = self._changed[stream] = StreamState(before.state, before.version, before.snapshot)
            entry.version += 1
            entry.state = kind_of(stream).evolve(entry.state, event)
            self.events.append(StreamEvent(stream, entry.version, event))

    def commit(self) -> None:
        """Give the changed states to the batch: its next commands are decided on them."""
        self._batch.changed.update(self._changed)


def load(log: EventLog, stream: str) -> StreamState:
    """Return the state and the version that the events of *stream* lead to."""
    kind = kind_of(stream)
    if kind.last_event_only:
        last = log.last_event(stream)
        if last is None:
            return StreamState(kind.initial, 0, 0)
        return StreamState(kind.evolve(kind.initial, last.event), last.version, 0)
    loaded = _from_snapshot(log, stream) if kind.snapshots else StreamState(kind.initial, 0, 0)
    for event in log.stream_events(stream, loaded.version):
        loaded.state, loaded.version = kind.evolve(loaded.state, event.event), event.version
    return loaded


def _from_snapshot(log: EventLog, stream: str) -> StreamState:
    kind, snapshot = kind_of(stream), log.snapshot(stream)
    if snapshot is None or snapshot.topic != snapshot_topic(stream):
        return StreamState(kind.initial, 0, 0)
    try:
        state = decode_state(snapshot.state, kind)
    except ValidationError:  # a damaged snapshot costs time alone: the events are there
        return StreamState(kind.initial, 0, 0)
    return StreamState(state, snapshot.version, snapshot.version)
