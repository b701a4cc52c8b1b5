"""A build of a read model beside the live one."""

from collections.abc import Callable, Sequence

from projections.fold import Grouped, group
from projections.sqlite.connections import Database
from projections.sqlite.generation import Generation
from projections.store import Checkpoint
from projections.writes import Write


class SQLiteRebuild:
    """Fill a generation that nobody reads yet."""

    def __init__(
        self, database: Database, generation: Generation, switch: Callable[["SQLiteRebuild"], None]
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
        place: bytes = b"",
        partition: int = 0,
    ) -> None:
        """Apply writes of *partition* by position, up to *sequence* at *place*; raise ValueError once the build has ended."""
        grouped: Grouped = {}
        group(writes, grouped)
        with self._database.lock:
            self._check()
            try:
                with self._database.transaction() as connection:
                    self.generation.write(connection, grouped)
            except BaseException:
                self.generation.forget()
                raise
            self.generation.commit()
            if sequence >= self.checkpoints.get(partition, Checkpoint()).sequence:
                self.checkpoints[partition] = Checkpoint(sequence=sequence, place=place)

    def switch(self) -> None:
        """Let readers see this build; raise ValueError where it has ended or is behind the live one."""
        with self._database.lock:
            self._check()
            self._switch(self)

    def cancel(self) -> None:
        """Drop this build, unless it has ended."""
        with self._database.lock:
            if self.ended:
                return
            with self._database.transaction() as connection:
                self.generation.drop(connection)
            self.ended = True

    def _check(self) -> None:
        if self.ended:
            raise ValueError(f"this build of {self.generation.model.name} has ended")
