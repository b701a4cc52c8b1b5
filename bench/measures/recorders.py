"""Appends in process, without HTTP: CodePark's recorder and the library's."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from bench.book import OURS, Book
from bench.plan import Plan
from commands.sqlite.connections import TunedPool
from commands.sqlite.recorder import ChainedRecorder

_STATE = b"x" * 256  # the size that the neutral event-store benchmark uses
_BATCHES = (1, 100)
_MOST_SECONDS = 3.0
_LIBRARY = "library, SQLite"
Say = Callable[[str], None]


def recorders(folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Append 256-byte events one and 100 at a time, the contestants in turn."""
    seconds = min(_MOST_SECONDS, plan.seconds)
    for size in _BATCHES:
        about = f"append {size} event{'s' if size > 1 else ''} of 256 bytes in process"
        for repeat in range(plan.repeats):
            for contestant, make in ((OURS, _ours), (_LIBRARY, _theirs)):
                path = folder / f"recorder-{contestant[:8]}-{size}-{repeat}.db"
                rate = _appended(make(path), size, seconds)
                book.add(f"append-{size}", contestant, rate, unit="events/s", better="higher", about=about)
                say(f"{contestant}: {about}: {rate:,.0f} events/s")


def _ours(path: Path) -> SQLiteApplicationRecorder:
    datastore = SQLiteDatastore(str(path), originator_id_type="text")
    datastore.pool.close()
    datastore.pool = TunedPool(db_name=str(path))
    return ChainedRecorder(datastore)


def _theirs(path: Path) -> SQLiteApplicationRecorder:
    return SQLiteApplicationRecorder(SQLiteDatastore(str(path), originator_id_type="text"))


def _appended(recorder: SQLiteApplicationRecorder, size: int, seconds: float) -> float:
    """Return the events appended a second; each call is a durable transaction on a new stream."""
    recorder.create_table()
    try:
        begin, count = perf_counter(), 0
        while perf_counter() - begin < seconds:
            stream = str(uuid4())
            recorder.insert_events(
                [StoredEvent(stream, version, "event", _STATE) for version in range(1, size + 1)]
            )
            count += size
        return count / (perf_counter() - begin)
    finally:
        recorder.datastore.close()
