"""Bring the index of the past up to a moment: each event of a project is read once, without its content."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

from commands.log import EventLog, LogUnavailableError, Selection
from commands.partitions import Logs
from domain.commit.events import CommitRecorded
from domain.event import Event
from domain.file.events import FileDeleted, FileWritten
from domain.record import Record
from domain.times import from_rfc3339
from projections.past.entries import CommitMade, FileChange, Reached
from projections.past.index import PastIndex
from read_api.past_answers import Work

_CHUNK = 500
_CHUNK_BYTES = 4 * 1024 * 1024
_LOCKS = 64
_STEP_SECONDS = 0.05
TOPICS = (FileWritten.TOPIC, FileDeleted.TOPIC, CommitRecorded.TOPIC)


class _FileOutline(Struct, rename="camel"):
    path: str
    size: int = 0
    digest: str | None = None
    commit: str | None = None


class _CommitOutline(Struct, rename="camel"):
    number: int
    authored_at: str


_OUTLINES: dict[str, tuple[type[Event], type[Struct]]] = {
    FileWritten.TOPIC: (FileWritten, _FileOutline),
    FileDeleted.TOPIC: (FileDeleted, _FileOutline),
    CommitRecorded.TOPIC: (CommitRecorded, _CommitOutline),
}


class Indexer:
    """Adds to the index what it lacks of a project. What was added stays, also where the work is stopped."""

    def __init__(self, logs: Logs[Any], index: PastIndex) -> None:
        """Read *logs* into *index*."""
        self._logs = logs
        self.index = index
        self._locks = tuple(Lock() for _ in range(_LOCKS))

    def reached(self, project_id: str) -> int:
        """Return the sequence that the index includes of a project, 0 where it is that of another log."""
        reached = self.index.reached(project_id)
        return reached.sequence if _is_of(self._logs.of(project_id), reached) else 0

    def bring(self, project_id: str, sequence: int, work: Work) -> None:
        """Let the index include a project's events up to *sequence* of its partition.

        An index of another log, such as one that was restored, is made again. Raises WorkEndedError,
        LogUnavailableError.
        """
        reached = self.index.reached(project_id)
        log = self._logs.of(project_id)
        if reached.sequence >= sequence and _is_of(log, reached):
            return
        with _held(self._locks[hash(project_id) % _LOCKS], work):
            reached = self.index.reached(project_id)  # another thread may have read on meanwhile
            if not _is_of(log, reached):
                self.index.forget(project_id)
                reached = Reached()
            while reached.sequence < sequence:
                work.step()
                reached = self._add_chunk(log, project_id, reached)

    def _add_chunk(self, log: EventLog, project_id: str, reached: Reached) -> Reached:
        """Add some records after *reached*, and return how far the index is with them."""
        tip = log.tip()
        selection = Selection(home=project_id, topics=TOPICS, most_bytes=_CHUNK_BYTES)
        records = log.read(reached.sequence, _CHUNK, selection)
        if records:
            last = Reached(records[-1].sequence, records[-1].chain)
        else:
            last = Reached(tip.sequence, log.tip_at(tip.sequence).chain)
        if last.sequence <= reached.sequence:
            raise LogUnavailableError("the log is being read again; try again")
        changes, commits = _entries(log, records)
        self.index.add(project_id, changes, commits, last)
        return last


@contextmanager
def _held(lock: Lock, work: Work) -> Iterator[None]:
    """Hold *lock*; raises WorkEndedError where the work ends before another thread gives it up."""
    while not lock.acquire(timeout=_STEP_SECONDS):
        work.step()
    try:
        yield
    finally:
        lock.release()


def _is_of(log: EventLog, reached: Reached) -> bool:
    """Return whether *log* has the event that the index has reached."""
    if reached.sequence == 0:
        return True
    try:
        return log.tip_at(reached.sequence).chain == reached.chain
    except LogUnavailableError:
        return False


def _entries(log: EventLog, records: Sequence[Record]) -> tuple[list[FileChange], list[CommitMade]]:
    changes: list[FileChange] = []
    commits: list[CommitMade] = []
    for record in records:
        outline = _outline(log, record)
        if outline is None:
            continue
        if record.topic == CommitRecorded.TOPIC:
            end = record.sequence + record.commit_count - record.commit_index
            commits.append(
                CommitMade(record.sequence, outline.number, end, _milliseconds(outline.authored_at))
            )
        else:
            changes.append(_change(record, outline))
    return changes, commits


def _change(record: Record, outline: Any) -> FileChange:
    if record.topic == FileDeleted.TOPIC:
        return FileChange(record.sequence, outline.path, 0, 0, commit=outline.commit)
    return FileChange(
        record.sequence, outline.path, record.version, outline.size, outline.digest, outline.commit
    )


def _outline(log: EventLog, record: Record) -> Any:
    """Return the few fields that the index keeps; None for an event that cannot be read.

    Of an event of the present version nothing else is decoded, and nothing decrypted.
    """
    cls, outline = _OUTLINES[record.topic]
    try:
        return _decoder(outline).decode(record.data) if record.schema == cls.VERSION else log.event(record)
    except (msgspec.MsgspecError, ValueError):  # a dead letter of the read models too
        return None


@cache
def _decoder(outline: type[Struct]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(outline)


def _milliseconds(time: str) -> int | None:
    try:
        return from_rfc3339(time)
    except (ValueError, OverflowError):
        return None
