"""The states that commands are decided on: the settled ones, a batch's, and one command's own."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, ValidationError

from commands.aggregates import KINDS, Kind, decode_state, encode_state, kind_name
from commands.log import EventLog, Snapshot
from commands.stream_event import StreamEvent
from domain.actor import Actor
from domain.event import Event

_CACHED_STREAMS = 20_000
_SNAPSHOT_AFTER = 200
_SNAPSHOT_GROWTH = 1.25


class Versioned(Struct):
    """A stream's state and version, and the version of its last snapshot (0: none)."""

    state: Any
    version: int
    snapshot: int


class View:
    """The settled states of the partition, loaded from the log and kept while they are used."""

    def __init__(
        self,
        log: EventLog,
        cached: int = _CACHED_STREAMS,
        *,
        log_of: Callable[[str], EventLog] | None = None,
    ) -> None:
        """Load from *log*; keep the states of up to *cached* streams.

        *log_of* gives the log of a home key, which may be another partition's; without it there is one partition.
        """
        self._log = log
        self._log_of = log_of
        self._cached = cached
        self._states: dict[str, Versioned] = {}

    def get(self, stream: str) -> Versioned:
        """Return the stream's state; treat it as immutable."""
        found = self._states.get(stream)
        if found is None:
            found = self._states[stream] = load(self._log, stream)
            self._make_room()
        return found

    def look(self, home: str, stream: str) -> Versioned:
        """Return the state of a stream whose *home* may be in another partition.

        What is elsewhere is advisory: it is loaded each time, for nothing tells this view when it changes.
        """
        log = self._log if self._log_of is None else self._log_of(home)
        return self.get(stream) if log is self._log else load(log, stream)

    def prefetch(self, streams: Iterable[str]) -> None:
        """Learn in one step which of *streams* are new: most streams of a busy batch are."""
        unknown = [stream for stream in dict.fromkeys(streams) if stream not in self._states]
        if unknown:
            existing = self._log.existing(unknown)
            for stream in unknown:
                if stream not in existing:
                    self._states[stream] = Versioned(KINDS[kind_name(stream)].initial, 0, 0)
            self._make_room()

    def _make_room(self) -> None:
        """Forget the quarter that came first once there are too many; one that is still used is loaded again."""
        if len(self._states) > self._cached:
            for stream in list(self._states)[: self._cached // 4]:
                del self._states[stream]

    def settle(self, changed: dict[str, Versioned]) -> None:
        """Take over what a settled batch changed."""
        self._states.update(changed)

    def drop(self, streams: Iterable[str]) -> None:
        """Drop the states of *streams*: somebody else appended to them."""
        for stream in streams:
            self._states.pop(stream, None)

    def forget(self) -> None:
        """Drop everything: the log may hold something else."""
        self._states.clear()


class Batch:
    """What the commands decided so far in one batch have changed, over the settled view."""

    def __init__(self, view: View) -> None:
        """Start with nothing changed."""
        self._view = view
        self.changed: dict[str, Versioned] = {}

    def get(self, stream: str) -> Versioned:
        """Return the stream's state as the next command finds it."""
        return self.changed.get(stream) or self._view.get(stream)

    def look(self, home: str, stream: str) -> Any:
        """Return the state of a stream whose *home* may be in another partition."""
        return (self.changed.get(stream) or self._view.look(home, stream)).state

    def due_snapshots(self) -> list[Snapshot]:
        """Return snapshots of the streams that have grown long; the distance grows too, so their cost stays flat."""
        due = []
        for stream, entry in self.changed.items():
            kind = KINDS[kind_name(stream)]
            grown = max(entry.snapshot * _SNAPSHOT_GROWTH, entry.snapshot + _SNAPSHOT_AFTER)
            if kind.snapshots and entry.version >= grown:
                entry.snapshot = entry.version
                topic, state = snapshot_topic(stream, kind), encode_state(entry.state)
                due.append(Snapshot(stream=stream, version=entry.version, topic=topic, state=state))
        return due


class UnitOfWork:
    """One command's view: loads states, collects events, and changes nothing until it is committed."""

    def __init__(self, batch: Batch, actor: Actor) -> None:
        """Decide for *actor* on top of *batch*."""
        self.actor = actor
        self.events: list[StreamEvent] = []
        self._batch = batch
        self._changed: dict[str, Versioned] = {}

    def load(self, stream: str) -> Any:
        """Return the stream's state, the events of this command included."""
        return (self._changed.get(stream) or self._batch.get(stream)).state

    def look(self, home: str, stream: str) -> Any:
        """Return the state of a stream of another *home*: advisory, for it may be in another partition."""
        return self._batch.look(home, stream)

    def version(self, stream: str) -> int:
        """Return the stream's version, the events of this command included."""
        return (self._changed.get(stream) or self._batch.get(stream)).version

    def record(self, stream: str, events: Iterable[Event]) -> None:
        """Let *events* happen to *stream*."""
        for event in events:
            entry = self._changed.get(stream)
            if entry is None:
                found = self._batch.get(stream)
                entry = self._changed[stream] = Versioned(found.state, found.version, found.snapshot)
            entry.version += 1
            entry.state = KINDS[kind_name(stream)].evolve(entry.state, event)
            self.events.append(StreamEvent(stream, entry.version, event))

    def commit(self) -> None:
        """Let the batch's next commands see what this one did."""
        self._batch.changed.update(self._changed)


def load(log: EventLog, stream: str) -> Versioned:
    """Return the state and the version that the stream's events leave."""
    kind = KINDS[kind_name(stream)]
    if kind.last_event_only:
        last = log.last_event(stream)
        if last is None:
            return Versioned(kind.initial, 0, 0)
        return Versioned(kind.evolve(kind.initial, last.event), last.version, 0)
    loaded = _from_snapshot(log, stream, kind)
    for item in log.stream_events(stream, loaded.version):
        loaded.state, loaded.version = kind.evolve(loaded.state, item.event), item.version
    return loaded


def _from_snapshot(log: EventLog, stream: str, kind: Kind) -> Versioned:
    snapshot = log.snapshot(stream) if kind.snapshots else None
    if snapshot is None or snapshot.topic != snapshot_topic(stream, kind):
        return Versioned(kind.initial, 0, 0)
    try:
        state = decode_state(snapshot.state, kind)
    except ValidationError:  # the state's shape changed without its number: the events are there
        return Versioned(kind.initial, 0, 0)
    return Versioned(state, snapshot.version, snapshot.version)


def snapshot_topic(stream: str, kind: Kind) -> str:
    """Name the kind of state and its shape."""
    return f"{kind_name(stream)}.state.v{kind.shape}"
