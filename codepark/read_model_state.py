"""What the file of the read models says of itself, read without writing, and whether it fits its log."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from commands.log import EventLog
from commands.sqlite.connections import read_only_uri
from commands.sqlite.key_check import is_used
from commands.sqlite.unwritten_log import is_unchanging
from projections.sqlite import model_registry
from projections.sqlite.connections import translated
from projections.store import Checkpoint, DeadLetter


def stored_checkpoints(path: Path, *, live: bool = False) -> dict[str, Checkpoint]:
    """Return the checkpoint of each model in the file at *path*, which another process writes if *live*.

    Raises StoreUnavailableError.
    """
    with _opened(path, live) as connection:
        if connection is None:
            return {}
        rows = model_registry.load(connection)
    return {name: row.checkpoints.get(0, Checkpoint()) for name, row in rows.items()}


def stored_dead_letters(path: Path, model: str | None, *, live: bool = False) -> list[DeadLetter]:
    """Return the dead letters in the file at *path*; as `stored_checkpoints`."""
    with _opened(path, live) as connection:
        return [] if connection is None else model_registry.dead_letters(connection, model)


def misfit(checkpoints: dict[str, Checkpoint], log: EventLog) -> str | None:
    """Return why read models with *checkpoints* were not made from *log*, None where they may have been."""
    end, chains = log.tip().sequence, dict[int, bytes]()
    for name, checkpoint in sorted(checkpoints.items()):
        sequence = checkpoint.sequence
        if sequence > end:
            return f"{name} includes event {sequence}, and the log ends at {end}"
        if sequence and checkpoint.resume_at:
            if sequence not in chains:
                chains[sequence] = log.read(sequence - 1, 1)[0].chain
            if chains[sequence] != checkpoint.resume_at:
                return f"{name} was made from another log: event {sequence} differs"
    return None


def remove_read_models(path: Path) -> None:
    """Remove the file of the read models: the next start builds them from the log."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, live: bool) -> Iterator[sqlite3.Connection | None]:
    """Open the file at *path*; None where it has no table yet."""
    if not is_used(path):
        yield None
        return
    uri = read_only_uri(path, unchanging=not live and is_unchanging(path))
    with translated(), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection if model_registry.exists(connection) else None
