"""The event log as the command side and its readers see it: one partition's history."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from commands.stream_event import StreamEvent
from domain.event import Event
from domain.record import Record


class LogUnavailableError(Exception):
    """The log cannot be used now; only reading it again shows whether the last batch was stored."""


class TipMovedError(Exception):
    """Another writer appended in between: the commands were decided on an old state."""


class LogCorruptError(Exception):
    """The stored history contradicts itself: an alarm that no code may work around."""


class Tip(Struct, frozen=True):
    """The last record of the partition: its sequence (0 where there is none), chain and event time."""

    sequence: int
    chain: bytes
    occurred_at: int


class CommandEvents(Struct, frozen=True, kw_only=True):
    """What one accepted command appends: at least one event, the first of them on the stream it was about."""

    command: str
    home: str
    fingerprint: str | None
    actor: str
    correlation: str
    causation: str | None
    traceparent: str | None
    occurred_at: int
    events: tuple[StreamEvent, ...]
    operated_by: str | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """The state of a stream at a version; *topic* names the kind of stream and the state's shape."""

    stream: str
    version: int
    topic: str
    state: bytes


class Selection(Struct, frozen=True, kw_only=True):
    """Which records a reader wants, in which order; None stands for all.

    *home* is a home key, *until* an event time. A record has one of *homes*, of *streams*, of *actors* and of
    *topics*. With *most_bytes*, an answer ends with the record whose data passes them: it may have fewer
    records than were asked for although there are more.
    """

    topics: tuple[str, ...] | None = None
    stream: str | None = None
    home: str | None = None
    until: int | None = None
    homes: tuple[str, ...] | None = None
    streams: tuple[str, ...] | None = None
    actors: tuple[str, ...] | None = None
    newest_first: bool = False
    most_bytes: int | None = None


EVERYTHING = Selection()


class EventLog(Protocol):
    """One partition of the history. Any thread may call any method, `append` one thread at a time."""

    @property
    def number(self) -> int:
        """Return which partition this is; 0 where there is only one."""
        ...

    @property
    def log_id(self) -> str:
        """Return the id that the log got when it was created."""
        ...

    def tip(self) -> Tip:
        """Return the sequence, chain value and event time of the last record; raise LogUnavailableError."""
        ...

    def append(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append *batch* after *expected*, whole or not at all, durably, and return its records.

        Raises TipMovedError where *expected* is no longer the tip and LogUnavailableError where the outcome
        is unknown.
        """
        ...

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        """Return up to *limit* records of *selection* with a sequence above *after*, in order.

        Newest first, they are those with a sequence below *after*, in descending order.
        """
        ...

    def chains(self, sequences: Sequence[int]) -> dict[int, bytes]:
        """Return the chain values of the records with these sequences, of those that are here."""
        ...

    def version_at(self, stream: str, sequence: int) -> int:
        """Return the version that *stream* had after the record *sequence*, 0 where it had no event yet."""
        ...

    def stream_records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to *limit* records of *stream* with a version above *after*, in order."""
        ...

    def tip_at(self, sequence: int) -> Tip:
        """Return the tip that the log had after the record *sequence*; raises LogUnavailableError."""
        ...

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events with a version above *after*."""
        ...

    def existing(self, streams: Sequence[str]) -> set[str]:
        """Return those of *streams* that have an event, in one query."""
        ...

    def last_event(self, stream: str) -> StreamEvent | None:
        """Return the stream's last event."""
        ...

    def snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        ...

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version; raises what the mapper raises."""
        ...

    def request_of(self, record: Record) -> tuple[str, str | None]:
        """Return the correlation and the trace context of *record* as they are shown: none of the erased."""
        ...

    def command_records(self, command: str) -> list[Record]:
        """Return the records that the command appended; none where it is unknown."""
        ...

    def sequence_at(self, time: int) -> int:
        """Return the sequence of the last record with an event time up to *time* (milliseconds), or 0."""
        ...

    def on_append(
        self, callback: Callable[[Sequence[Record]], None], topics: frozenset[str] | None = None
    ) -> None:
        """Call *callback* with the records of each append, at least one, from the appending thread.

        With *topics*, call it only for an append that has a record of one of these topics.
        """
        ...

    def close(self) -> None:
        """Release what the log holds."""
        ...
