"""What the store knows of its models: live generations, checkpoints, dead letters."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from projections.sqlite.rows import write_rows
from projections.store import Checkpoint, DeadLetter

_MODELS = """CREATE TABLE IF NOT EXISTS models (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, generation INTEGER NOT NULL,
    sequence INTEGER NOT NULL, blocked TEXT NOT NULL, place BLOB NOT NULL DEFAULT x'')"""
_PLACE = "ALTER TABLE models ADD COLUMN place BLOB NOT NULL DEFAULT x''"
_DEAD_LETTERS = """CREATE TABLE IF NOT EXISTS dead_letters (
    model TEXT NOT NULL, sequence INTEGER NOT NULL, stream TEXT NOT NULL, topic TEXT NOT NULL, reason TEXT,
    PRIMARY KEY (model, sequence)) WITHOUT ROWID"""
_UPSERT = (
    " ON CONFLICT (name) DO UPDATE SET version = excluded.version, generation = excluded.generation, "
    "sequence = excluded.sequence, blocked = excluded.blocked, place = excluded.place"
)
_LETTER_UPSERT = " ON CONFLICT (model, sequence) DO UPDATE SET reason = excluded.reason"


class Live(Struct, frozen=True, kw_only=True):
    """A model's live generation and its checkpoint."""

    name: str
    version: int
    generation: int
    checkpoint: Checkpoint


def create(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing, and add the column that files of older releases lack."""
    for statement in (_MODELS, _DEAD_LETTERS):
        connection.execute(statement)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(models)")]
    if "place" not in columns:
        connection.execute(_PLACE)


def load(connection: sqlite3.Connection) -> dict[str, Live]:
    """Return what is live, by the model's name."""
    rows = connection.execute("SELECT name, version, generation, sequence, blocked, place FROM models")
    return {
        name: Live(
            name=name,
            version=version,
            generation=generation,
            checkpoint=Checkpoint(
                sequence=sequence, blocked=frozenset(msgspec.json.decode(blocked)), place=place
            ),
        )
        for name, version, generation, sequence, blocked, place in rows
    }


def save(connection: sqlite3.Connection, models: Iterable[Live]) -> None:
    """Write what is live."""
    rows = [
        (
            model.name,
            model.version,
            model.generation,
            model.checkpoint.sequence,
            msgspec.json.encode(sorted(model.checkpoint.blocked)).decode(),
            model.checkpoint.place,
        )
        for model in models
    ]
    head = "INSERT INTO models (name, version, generation, sequence, blocked, place)"
    write_rows(connection, head, rows, _UPSERT)


def add_letters(connection: sqlite3.Connection, letters: Iterable[DeadLetter]) -> None:
    """Keep dead letters; one that is there already gets the new reason."""
    rows = [(item.model, item.sequence, item.stream, item.topic, item.reason) for item in letters]
    head = "INSERT INTO dead_letters (model, sequence, stream, topic, reason)"
    write_rows(connection, head, rows, _LETTER_UPSERT)


def solve_letters(connection: sqlite3.Connection, model: str, sequences: Sequence[int]) -> None:
    """Drop the dead letters that are no more."""
    if sequences:
        statement = (
            "DELETE FROM dead_letters WHERE model = ? AND sequence IN (SELECT value FROM json_each(?))"
        )
        connection.execute(statement, (model, msgspec.json.encode(sequences).decode()))


def drop_letters(connection: sqlite3.Connection, model: str) -> None:
    """Drop all dead letters of *model*."""
    connection.execute("DELETE FROM dead_letters WHERE model = ?", (model,))


def letters(connection: sqlite3.Connection, model: str | None) -> list[DeadLetter]:
    """Return the dead letters of *model*, or of all, in order of sequence."""
    columns = "SELECT model, stream, sequence, topic, reason FROM dead_letters"
    if model is None:
        rows = connection.execute(f"{columns} ORDER BY sequence, model")
    else:
        rows = connection.execute(f"{columns} WHERE model = ? ORDER BY sequence", (model,))
    return [
        DeadLetter(model=name, stream=stream, sequence=sequence, topic=topic, reason=reason)
        for name, stream, sequence, topic, reason in rows
    ]
