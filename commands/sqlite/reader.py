"""Reading the event log's file, beside whoever writes it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import json

from commands.chain import source_of
from commands.log import EVERYTHING, Selection, Snapshot
from commands.mapper import EventMapper, stored_topic
from commands.sqlite.connections import Readers, translated
from commands.sqlite.rows import SELECT_COLUMNS, to_records
from commands.stream_event import StreamEvent
from domain.event import Event
from domain.record import Record
from domain.upcasting import event_versions

TABLE = "stored_events"
_STREAM_COLUMNS = "originator_version, topic, state"


class ReadOnlyLog:
    """What can be asked of a log without writing to it; from any thread, each with a connection of its own."""

    columns = SELECT_COLUMNS
    number = 0

    def __init__(self, path: Path, mapper: EventMapper) -> None:
        """Read the log at *path*; raises LogUnavailableError where there is none."""
        self._mapper = mapper
        self._readers = Readers(str(path))
        with translated():
            row = self._readers.connection().execute(f"SELECT log_id FROM {TABLE}_log").fetchone()  # noqa: S608 # names are ours, values are parameters
        self.log_id: str = row[0]
        self.source = source_of(self.log_id)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        """Return up to *limit* records of *selection* behind *after*."""
        where, params = ["rowid > ?"], [after]
        for clause, values in _clauses(selection):
            where.append(clause)
            params += values
        statement = f"SELECT {self.columns} FROM {TABLE} WHERE {' AND '.join(where)} ORDER BY rowid LIMIT ?"  # noqa: S608 # names are ours, values are parameters
        with translated():
            return to_records(self._readers.connection().execute(statement, [*params, limit]), self.source)

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events behind *after*."""
        statement = (
            f"SELECT {_STREAM_COLUMNS} FROM {TABLE} WHERE originator_id = ? AND originator_version > ? "  # noqa: S608 # names are ours, values are parameters
            "ORDER BY originator_version"
        )
        with translated():
            rows = self._readers.connection().execute(statement, (stream, after)).fetchall()
        return [self._stream_event(stream, *row) for row in rows]

    def existing(self, streams: Sequence[str]) -> set[str]:
        """Return those of *streams* that have an event, in one statement."""
        found_one = f"SELECT 1 FROM {TABLE} WHERE originator_id = value"  # noqa: S608 # names are ours, values are parameters
        statement = f"SELECT group_concat(value) FROM json_each(?) WHERE EXISTS ({found_one})"  # noqa: S608 # names are ours, values are parameters
        with translated():
            found = self._readers.connection().execute(statement, (json.encode(streams),)).fetchone()[0]
        return set() if found is None else set(found.split(","))

    def last_event(self, stream: str) -> StreamEvent | None:
        """Return the stream's last event."""
        statement = (
            f"SELECT {_STREAM_COLUMNS} FROM {TABLE} WHERE originator_id = ? "  # noqa: S608 # names are ours, values are parameters
            "ORDER BY originator_version DESC LIMIT 1"
        )
        with translated():
            row = self._readers.connection().execute(statement, (stream,)).fetchone()
        return None if row is None else self._stream_event(stream, *row)

    def last_snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        statement = (
            "SELECT originator_version, topic, state FROM snapshots WHERE originator_id = ? "
            "ORDER BY originator_version DESC LIMIT 1"
        )
        with translated():
            row = self._readers.connection().execute(statement, (stream,)).fetchone()
        return None if row is None else Snapshot(stream=stream, version=row[0], topic=row[1], state=row[2])

    def _stream_event(self, stream: str, version: int, topic: str, state: bytes) -> StreamEvent:
        return self._mapper.stream_event(stream, version, topic, state)

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version."""
        return self._mapper.event(record.topic, record.schema, record.data)

    def command_records(self, command: str) -> list[Record]:
        """Return what the command appended: its first record by the index, the others lie behind it."""
        statement = f"SELECT {self.columns} FROM {TABLE} WHERE command = ? AND commit_index = 1"  # noqa: S608 # names are ours, values are parameters
        with translated():
            first = to_records(self._readers.connection().execute(statement, (command,)), self.source)
        if not first or first[0].commit_count == 1:
            return first
        return self.read(first[0].sequence - 1, first[0].commit_count)

    def sequence_at(self, time: int) -> int:
        """Search the records, whose event times never go back, for the last one up to *time*."""
        low, high = 0, self._last_sequence()
        statement = f"SELECT occurred_at FROM {TABLE} WHERE rowid = ?"  # noqa: S608 # names are ours, values are parameters
        with translated():
            connection = self._readers.connection()
            while low < high:
                middle = (low + high + 1) // 2
                if connection.execute(statement, (middle,)).fetchone()[0] <= time:
                    low = middle
                else:
                    high = middle - 1
        return low

    def close(self) -> None:
        """Close the connections."""
        self._readers.close()

    def _last_sequence(self) -> int:
        row = self._readers.connection().execute(f"SELECT max(rowid) FROM {TABLE}").fetchone()  # noqa: S608 # names are ours, values are parameters
        return row[0] or 0


def _clauses(selection: Selection) -> list[tuple[str, list[Any]]]:
    clauses: list[tuple[str, list[Any]]] = []
    if selection.stream is not None:
        clauses.append(("originator_id = ?", [selection.stream]))
    if selection.home is not None:
        clauses.append(("home = ?", [selection.home]))
    if selection.until is not None:
        clauses.append(("occurred_at <= ?", [selection.until]))
    if selection.topics is not None:
        names = [
            stored_topic(topic, v) for topic in selection.topics for v in range(1, event_versions(topic) + 1)
        ]
        clauses.append((f"topic IN ({','.join('?' * len(names))})", list(names)))
    return clauses
