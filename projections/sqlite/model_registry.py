"""What the store knows of its models: live generations, checkpoints, dead letters."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from projections.sqlite.rows import write_rows
from projections.store import Checkpoint, DeadLetter

_MODELS = """CREATE TABLE IF NOT EXISTS models (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, generation INTEGER NOT NULL,
    sequence INTEGER NOT NULL, blocked TEXT NOT NULL, place BLOB NOT NULL DEFAULT x'')"""
_PLACE = "ALTER TABLE models ADD COLUMN place BLOB NOT NULL DEFAULT x''"
_PLACES = """CREATE TABLE IF NOT EXISTS model_places (
    name TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL, blocked TEXT NOT NULL,
    place BLOB NOT NULL, PRIMARY KEY (name, partition)) WITHOUT ROWID"""
_DEAD_LETTERS = """CREATE TABLE IF NOT EXISTS dead_letters (
    model TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL, stream TEXT NOT NULL,
    topic TEXT NOT NULL, reason TEXT, PRIMARY KEY (model, partition, sequence)) WITHOUT ROWID"""
_LETTERS_OF_OLD = "ALTER TABLE dead_letters RENAME TO dead_letters_of_old"
_TAKE_OVER = (
    "INSERT INTO dead_letters SELECT model, 0, sequence, stream, topic, reason FROM dead_letters_of_old",
    "DROP TABLE dead_letters_of_old",
)
_UPSERT = (
    " ON CONFLICT (name) DO UPDATE SET version = excluded.version, generation = excluded.generation, "
    "sequence = excluded.sequence, blocked = excluded.blocked, place = excluded.place"
)
_PLACE_UPSERT = (
    " ON CONFLICT (name, partition) DO UPDATE SET sequence = excluded.sequence, blocked = excluded.blocked, "
    "place = excluded.place"
)
_LETTER_UPSERT = " ON CONFLICT (model, partition, sequence) DO UPDATE SET reason = excluded.reason"


class Live(Struct, frozen=True, kw_only=True):
    """A model's live generation, and its checkpoint in each partition that it has one in."""

    name: str
    version: int
    generation: int
    checkpoints: Mapping[int, Checkpoint]


def create(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing, and add what files of older releases lack."""
    for statement in (_MODELS, _PLACES, _DEAD_LETTERS):
        connection.execute(statement)
    if "place" not in _columns(connection, "models"):
        connection.execute(_PLACE)
    if "partition" not in _columns(connection, "dead_letters"):
        for statement in (_LETTERS_OF_OLD, _DEAD_LETTERS, *_TAKE_OVER):
            connection.execute(statement)


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def load(connection: sqlite3.Connection) -> dict[str, Live]:
    """Return what is live, by the model's name."""
    checkpoints: dict[str, dict[int, Checkpoint]] = {}
    for name, partition, sequence, blocked, place in connection.execute(
        "SELECT name, 0, sequence, blocked, place FROM models UNION ALL "
        "SELECT name, partition, sequence, blocked, place FROM model_places"
    ):
        found = Checkpoint(sequence=sequence, blocked=frozenset(msgspec.json.decode(blocked)), place=place)
        checkpoints.setdefault(name, {})[partition] = found
    rows = connection.execute("SELECT name, version, generation FROM models")
    return {
        name: Live(name=name, version=version, generation=generation, checkpoints=checkpoints[name])
        for name, version, generation in rows
    }


def save(connection: sqlite3.Connection, models: Iterable[Live]) -> None:
    """Write what is live; what is not said of other partitions than the first stays."""
    rows, places = [], []
    for model in models:
        first = _stored(model.checkpoints.get(0, Checkpoint()))
        rows.append((model.name, model.version, model.generation, *first))
        places += [(model.name, at, *_stored(found)) for at, found in model.checkpoints.items() if at]
    head = "INSERT INTO models (name, version, generation, sequence, blocked, place)"
    write_rows(connection, head, rows, _UPSERT)
    if places:
        head = "INSERT INTO model_places (name, partition, sequence, blocked, place)"
        write_rows(connection, head, places, _PLACE_UPSERT)


def forget_places(connection: sqlite3.Connection, model: str) -> None:
    """Forget the checkpoints of *model* in all partitions but the first: another generation begins."""
    connection.execute("DELETE FROM model_places WHERE name = ?", (model,))


def _stored(checkpoint: Checkpoint) -> tuple[int, str, bytes]:
    blocked = msgspec.json.encode(sorted(checkpoint.blocked)).decode()
    return checkpoint.sequence, blocked, checkpoint.place


def add_letters(connection: sqlite3.Connection, letters: Iterable[DeadLetter]) -> None:
    """Keep dead letters; one that is there already gets the new reason."""
    rows = [
        (item.model, item.partition, item.sequence, item.stream, item.topic, item.reason) for item in letters
    ]
    head = "INSERT INTO dead_letters (model, partition, sequence, stream, topic, reason)"
    write_rows(connection, head, rows, _LETTER_UPSERT)


def solve_letters(
    connection: sqlite3.Connection, model: str, sequences: Sequence[int], partition: int
) -> None:
    """Drop the dead letters that are no more."""
    if sequences:
        statement = (
            "DELETE FROM dead_letters WHERE model = ? AND partition = ? "
            "AND sequence IN (SELECT value FROM json_each(?))"
        )
        connection.execute(statement, (model, partition, msgspec.json.encode(sequences).decode()))


def drop_letters(connection: sqlite3.Connection, model: str) -> None:
    """Drop all dead letters of *model*."""
    connection.execute("DELETE FROM dead_letters WHERE model = ?", (model,))


def letters(connection: sqlite3.Connection, model: str | None) -> list[DeadLetter]:
    """Return the dead letters of *model*, or of all, in order of partition and sequence."""
    columns = "SELECT model, stream, sequence, topic, reason, partition FROM dead_letters"
    if model is None:
        rows = connection.execute(f"{columns} ORDER BY partition, sequence, model")
    else:
        rows = connection.execute(f"{columns} WHERE model = ? ORDER BY partition, sequence", (model,))
    return [
        DeadLetter(
            model=name, stream=stream, sequence=sequence, topic=topic, reason=reason, partition=partition
        )
        for name, stream, sequence, topic, reason, partition in rows
    ]
