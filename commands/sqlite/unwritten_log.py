"""Read a log that this process does not write: for the commands that only look."""

from collections.abc import Callable, Sequence
from pathlib import Path

from commands.chain import first_chain
from commands.log import CommandEvents, LogUnavailableError, Snapshot, Tip
from commands.mapper import EventMapper
from commands.sqlite.connections import translated_errors
from commands.sqlite.reader import TABLE, ReadOnlyLog
from commands.sqlite.recorder import PARTITION, PARTITIONS
from domain.record import Record

_TIP = f"SELECT rowid, chain, occurred_at FROM {TABLE} ORDER BY rowid DESC LIMIT 1"  # noqa: S608 # our names


def is_unchanging(path: Path) -> bool:
    """Return whether the database at *path*, which nobody writes now, has everything in its one file."""
    try:
        return Path(f"{path}-wal").stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False


class UnwrittenLog(ReadOnlyLog):
    """A log that ends where it ended when it was last looked at."""

    def __init__(self, path: Path, mapper: EventMapper, *, live: bool = False) -> None:
        """Open the log at *path*, which another process writes if it is *live*.

        Raises LogUnavailableError, LogCorruptError.
        """
        unchanging = not live and is_unchanging(path)
        try:
            super().__init__(path, mapper, unchanging=unchanging)
        except LogUnavailableError as error:
            if unchanging or live:
                raise
            raise LogUnavailableError(
                f"{path.name} has a journal that cannot be read here ({error}): start `codepark serve` once, "
                "or copy the folder to a place that can be written"
            ) from error
        self.look_again()

    def look_again(self) -> None:
        """Read where the log ends now."""
        with translated_errors():
            row = self._readers.connection().execute(_TIP).fetchone()
        self._tip = Tip(0, self.first_chain(), 0) if row is None else Tip(*row)

    def tip(self) -> Tip:
        """Return the sequence, chain value and event time of the last record."""
        return self._tip

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        return first_chain(self.log_id, PARTITION, PARTITIONS)

    def append(
        self, expected: Tip, batch: Sequence[CommandEvents], snapshots: Sequence[Snapshot] = ()
    ) -> list[Record]:
        """Append nothing: raises LogUnavailableError."""
        del expected, batch, snapshots
        raise LogUnavailableError("the event log is only read here")

    def on_append(
        self, callback: Callable[[Sequence[Record]], None], topics: frozenset[str] | None = None
    ) -> None:
        """Call *callback* never: nothing is appended here."""

    def snapshot(self, stream: str) -> Snapshot | None:
        """Return the stream's last snapshot."""
        return self.last_snapshot(stream)
