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
_ADD_PLACE = "ALTER TABLE models ADD COLUMN place BLOB NOT NULL DEFAULT x''"
_OTHER_PARTITIONS = """CREATE TABLE IF NOT EXISTS model_places (
    name TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL, blocked TEXT NOT NULL,
    place BLOB NOT NULL, PRIMARY KEY (name, partition)) WITHOUT ROWID"""
_DEAD_LETTERS = """CREATE TABLE IF NOT EXISTS dead_letters (
    model TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL, stream TEXT NOT NULL,
    topic TEXT NOT NULL, reason TEXT, PRIMARY KEY (model, partition, sequence)) WITHOUT ROWID"""
_ADD_PARTITION = (
    "ALTER TABLE dead_letters RENAME TO dead_letters_of_old",
    _DEAD_LETTERS,
    "INSERT INTO dead_letters SELECT model, 0, sequence, stream, topic, reason FROM dead_letters_of_old",
    "DROP TABLE dead_letters_of_old",
)
_MODEL_UPSERT = (
    " ON CONFLICT (name) DO UPDATE SET version = excluded.version, generation = excluded.generation, "
    "sequence = excluded.sequence, blocked = excluded.blocked, place = excluded.place"
)
_PARTITION_UPSERT = (
    " ON CONFLICT (name, partition) DO UPDATE SET sequence = excluded.sequence, blocked = excluded.blocked, "
    "place = excluded.place"
)
_DEAD_LETTER_UPSERT = " ON CONFLICT (model, partition, sequence) DO UPDATE SET reason = excluded.reason"
_SOLVE = (
    "DELETE FROM dead_letters WHERE model = ? AND partition = ? "
    "AND sequence IN (SELECT value FROM json_each(?))"
)
_LOAD_CHECKPOINTS = (
    "SELECT name, 0, sequence, blocked, place FROM models UNION ALL "
    "SELECT name, partition, sequence, blocked, place FROM model_places"
)


class ModelRow(Struct, frozen=True, kw_only=True):
    """A model's live generation, and its checkpoint in each partition in which it has one."""

    name: str
    version: int
    generation: int
    checkpoints: Mapping[int, Checkpoint]


def create(connection: sqlite3.Connection) -> None:
    """Create the tables that are missing, and add the columns that files of older releases lack."""
    for statement in (_MODELS, _OTHER_PARTITIONS, _DEAD_LETTERS):
        connection.execute(statement)
    if "place" not in _columns(connection, "models"):
        connection.execute(_ADD_PLACE)
    if "partition" not in _columns(connection, "dead_letters"):
        for statement in _ADD_PARTITION:
            connection.execute(statement)


def exists(connection: sqlite3.Connection) -> bool:
    """Return whether the tables have been created."""
    return bool(_columns(connection, "models"))


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def load(connection: sqlite3.Connection) -> dict[str, ModelRow]:
    """Return what is known of each model, by its name."""
    checkpoints: dict[str, dict[int, Checkpoint]] = {}
    for name, partition, sequence, blocked, place in connection.execute(_LOAD_CHECKPOINTS):
        checkpoints.setdefault(name, {})[partition] = Checkpoint(
            sequence=sequence, blocked=frozenset(msgspec.json.decode(blocked)), resume_at=place
        )
    rows = connection.execute("SELECT name, version, generation FROM models")
    return {
        name: ModelRow(name=name, version=version, generation=generation, checkpoints=checkpoints[name])
        for name, version, generation in rows
    }


def save(connection: sqlite3.Connection, models: Iterable[ModelRow]) -> None:
    """Write *models*; stored checkpoints of partitions that they do not name stay, except the first."""
    rows, others = [], []
    for model in models:
        first = _columns_of(model.checkpoints.get(0, Checkpoint()))
        rows.append((model.name, model.version, model.generation, *first))
        for partition, checkpoint in model.checkpoints.items():
            if partition:
                others.append((model.name, partition, *_columns_of(checkpoint)))
    head = "INSERT INTO models (name, version, generation, sequence, blocked, place)"
    write_rows(connection, head, rows, _MODEL_UPSERT)
    if others:
        head = "INSERT INTO model_places (name, partition, sequence, blocked, place)"
        write_rows(connection, head, others, _PARTITION_UPSERT)


def forget_other_partitions(connection: sqlite3.Connection, model: str) -> None:
    """Delete the checkpoints of *model* in all partitions except the first, where a new generation begins."""
    connection.execute("DELETE FROM model_places WHERE name = ?", (model,))


def _columns_of(checkpoint: Checkpoint) -> tuple[int, str, bytes]:
    blocked = msgspec.json.encode(sorted(checkpoint.blocked)).decode() if checkpoint.blocked else "[]"
    return checkpoint.sequence, blocked, checkpoint.resume_at


def add_dead_letters(connection: sqlite3.Connection, dead_letters: Iterable[DeadLetter]) -> None:
    """Store dead letters; one that is stored already gets the new reason."""
    rows = [
        (letter.model, letter.partition, letter.sequence, letter.stream, letter.topic, letter.reason)
        for letter in dead_letters
    ]
    head = "INSERT INTO dead_letters (model, partition, sequence, stream, topic, reason)"
    write_rows(connection, head, rows, _DEAD_LETTER_UPSERT)


def delete_solved(
    connection: sqlite3.Connection, model: str, sequences: Sequence[int], partition: int
) -> None:
    """Delete the dead letters that were solved."""
    connection.execute(_SOLVE, (model, partition, msgspec.json.encode(sequences).decode()))


def delete_dead_letters(connection: sqlite3.Connection, model: str) -> None:
    """Delete all dead letters of *model*."""
    connection.execute("DELETE FROM dead_letters WHERE model = ?", (model,))


def dead_letters(connection: sqlite3.Connection, model: str | None) -> list[DeadLetter]:
    """Return the dead letters of *model* (None: of every model), in order of partition and sequence."""
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
