"""Read the event log's file while a writer appends to it."""
# ruff: noqa: S608 # the names in the statements are ours; values are parameters

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec import json

from commands.chain import source_of
from commands.log import EVERYTHING, LogCorruptError, LogUnavailableError, Selection, Snapshot, Tip
from commands.mapper import EventMapper, RecordEvents
from commands.sqlite.connections import Readers, translated_errors
from commands.sqlite.rows import SELECT_COLUMNS, first_records, select_operators_column, to_records
from commands.sqlite.selections import select
from commands.stream_event import StreamEvent
from domain.record import Record

TABLE = "stored_events"
_STREAM_COLUMNS = "originator_version, topic, state"

_LOG_ID = f"SELECT log_id FROM {TABLE}_log"
_STREAM_EVENTS = f"""
SELECT {_STREAM_COLUMNS} FROM {TABLE}
WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version
"""
_EXISTING = f"""
SELECT group_concat(value) FROM json_each(?)
WHERE EXISTS (SELECT 1 FROM {TABLE} WHERE originator_id = value)
"""
_CHAINS = f"""
SELECT {TABLE}.rowid, {TABLE}.chain
FROM json_each(?) AS wanted CROSS JOIN {TABLE} ON {TABLE}.rowid = wanted.value
"""
_LAST_EVENT = f"""
SELECT {_STREAM_COLUMNS} FROM {TABLE} WHERE originator_id = ? ORDER BY originator_version DESC LIMIT 1
"""
_LAST_SNAPSHOT = """
SELECT originator_version, topic, state FROM snapshots
WHERE originator_id = ? ORDER BY originator_version DESC LIMIT 1
"""
_VERSION_SEQUENCE = f"SELECT rowid FROM {TABLE} WHERE originator_id = ? AND originator_version = ?"
_LAST_VERSION = f"SELECT max(originator_version) FROM {TABLE} WHERE originator_id = ?"
_TIP_AT = f"SELECT chain, occurred_at FROM {TABLE} WHERE rowid = ?"
_EVENT_TIME = f"SELECT occurred_at FROM {TABLE} WHERE rowid = ?"
_LAST_SEQUENCE = f"SELECT max(rowid) FROM {TABLE}"


class ReadOnlyLog(RecordEvents):
    """The reading half of a log, for any thread: each has a connection of its own."""

    columns = SELECT_COLUMNS
    number = 0

    def __init__(self, path: Path, mapper: EventMapper, *, unchanging: bool = False) -> None:
        """Read the log at *path*; raises LogUnavailableError where there is none, LogCorruptError.

        Nothing writes an *unchanging* log meanwhile, and reading it makes no file.
        """
        super().__init__(mapper)
        self._readers = Readers(path, unchanging=unchanging)
        with translated_errors():
            connection = self._readers.connection()
            row = connection.execute(_LOG_ID).fetchone()
            if connection.execute(select_operators_column(TABLE)).fetchone() is None:
                # An earlier release wrote the file, and no server has opened it since.
                self.columns = self.columns.replace("operated_by", "NULL AS operated_by")
        if row is None:
            raise LogCorruptError("the event log's file has no log id")
        self.log_id: str = row[0]
        self.source = source_of(self.log_id)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        """Return up to *limit* records of *selection* with a sequence above *after*, in order.

        Newest first, they are those with a sequence below *after*, in descending order.
        """
        statement, params = select(TABLE, self.columns, selection, after, limit)
        with translated_errors():
            rows = self._readers.connection().execute(statement, params)
            if selection.most_bytes is None:
                return to_records(rows, self.source)
            with closing(rows):
                return first_records(rows, self.source, selection.most_bytes)

    def chains(self, sequences: Sequence[int]) -> dict[int, bytes]:
        """Return the chain values of the records with these sequences, in one statement."""
        with translated_errors():
            rows = self._readers.connection().execute(_CHAINS, (json.encode(sequences).decode(),))
            return dict(rows.fetchall())

    def version_at(self, stream: str, sequence: int) -> int:
        """Search the versions of *stream*, which follow each other in the log, for the last one by then."""
        with translated_errors():
            connection = self._readers.connection()
            low, high = 0, connection.execute(_LAST_VERSION, (stream,)).fetchone()[0] or 0
            middle = high  # most questions are about the last one
            while low < high:
                (at,) = connection.execute(_VERSION_SEQUENCE, (stream, middle)).fetchone()
                low, high = (middle, high) if at <= sequence else (low, middle - 1)
                middle = (low + high + 1) // 2
        return low

    def stream_records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to *limit* records of *stream* with a version above *after*, in order."""
        statement = (
            f"SELECT {self.columns} FROM {TABLE} WHERE originator_id = ? AND originator_version > ? "
            "ORDER BY originator_version LIMIT ?"
        )
        with translated_errors():
            rows = self._readers.connection().execute(statement, (stream, after, limit))
            return to_records(rows, self.source)

    def tip_at(self, sequence: int) -> Tip:
        """Return the tip that the log had after the record *sequence*; raises LogUnavailableError."""
        with translated_errors():
            row = self._readers.connection().execute(_TIP_AT, (sequence,)).fetchone()
        if row is None:
            raise LogUnavailableError(f"the log has no record {sequence} now")
        return Tip(sequence, *row)

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events with a version above *after*."""
        with translated_errors():
            rows = self._readers.connection().execute(_STREAM_EVENTS, (stream, after)).fetchall()
        return [self._stream_event(stream, *row) for row in rows]

    def existing(self, streams: Sequence[str]) -> set[str]:
        """Return those of *streams* that have an event, in one statement."""
        with translated_errors():
            row = self._readers.connection().execute(_EXISTING, (json.encode(streams),)).fetchone()
        return set() if row[0] is None else set(row[0].split(","))

    def last_event(self, stream: str) -> StreamEvent | None:
        """Return the stream's last event."""
        with translated_errors():
            row = self._readers.connection().execute(_LAST_EVENT, (stream,)).fetchone()
        return None if row is None else self._stream_event(stream, *row)

    def last_snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        with translated_errors():
            row = self._readers.connection().execute(_LAST_SNAPSHOT, (stream,)).fetchone()
        return None if row is None else Snapshot(stream=stream, version=row[0], topic=row[1], state=row[2])

    def _stream_event(self, stream: str, version: int, topic: str, state: bytes) -> StreamEvent:
        return self._mapper.stream_event(stream, version, topic, state)

    def command_records(self, command: str) -> list[Record]:
        """Return what the command appended: its first record by the index, the others lie after it."""
        statement = f"SELECT {self.columns} FROM {TABLE} WHERE command = ? AND commit_index = 1"
        with translated_errors():
            first = to_records(self._readers.connection().execute(statement, (command,)), self.source)
        if not first or first[0].commit_count == 1:
            return first
        return self.read(first[0].sequence - 1, first[0].commit_count)

    def sequence_at(self, time: int) -> int:
        """Search the records, whose event times never go back, for the last one up to *time*."""
        with translated_errors():
            connection = self._readers.connection()
            low, high = 0, connection.execute(_LAST_SEQUENCE).fetchone()[0] or 0
            while low < high:
                middle = (low + high + 1) // 2
                if connection.execute(_EVENT_TIME, (middle,)).fetchone()[0] <= time:
                    low = middle
                else:
                    high = middle - 1
        return low

    def close(self) -> None:
        """Close the connections."""
        self._readers.close()
