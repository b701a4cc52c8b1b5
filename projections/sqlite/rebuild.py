"""The rebuild of a read model next to the live one."""

from collections.abc import Callable, Sequence

from projections.fold import GroupedWrites, group
from projections.sqlite.connections import Database
from projections.sqlite.generation import GenerationTables
from projections.store import Checkpoint
from projections.writes import Write


class SQLiteRebuild:
    """Fill a generation that no query reads yet."""

    def __init__(
        self,
        database: Database,
        generation: GenerationTables,
        switch: Callable[["SQLiteRebuild"], None],
    ) -> None:
        """Fill *generation*; *switch* makes it the live one."""
        self._database = database
        self._switch = switch
        self.generation = generation
        self.checkpoints: dict[int, Checkpoint] = {0: Checkpoint()}
        self.ended = False

    def apply(
        self,
        writes: Sequence[tuple[int, Sequence[Write]]],
        sequence: int,
        resume_at: bytes = b"",
        partition: int = 0,
    ) -> None:
        """Apply the writes of *partition* through *sequence*; raises ValueError if the rebuild has ended."""
        grouped: GroupedWrites = {}
        group(writes, grouped)
        with self._database.lock:
            self._require_open()
            try:
                with self._database.transaction() as connection:
                    self.generation.write(connection, grouped)
            except BaseException:
                self.generation.forget()
                raise
            self.generation.commit()
            if sequence >= self.checkpoints.get(partition, Checkpoint()).sequence:
                self.checkpoints[partition] = Checkpoint(sequence=sequence, resume_at=resume_at)

    def switch(self) -> None:
        """Make this generation the live one; raises ValueError if it has ended or is behind the live one."""
        with self._database.lock:
            self._require_open()
            self._switch(self)

    def cancel(self) -> None:
        """Drop this generation, unless the rebuild has ended."""
        with self._database.lock:
            if self.ended:
                return
            with self._database.transaction() as connection:
                self.generation.drop(connection)
            self.ended = True

    def _require_open(self) -> None:
        if self.ended:
            raise ValueError(f"this rebuild of {self.generation.model.name} has ended")
