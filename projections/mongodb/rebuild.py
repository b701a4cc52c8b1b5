"""A build of a read model beside the live one."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from pymongo.database import Database

from projections.fold import Grouped, group
from projections.mongodb import schema
from projections.mongodb.connection import translated
from projections.mongodb.model_registry import Build, Catalog
from projections.mongodb.writer import Generation, at_once
from projections.store import Checkpoint
from projections.writes import Document, Write


class MongoRebuild:
    """Fill a generation that nobody reads yet. The catalog says whether it still may be filled."""

    def __init__(
        self,
        database: Database[Document],
        catalog: Catalog,
        generation: Generation,
        threads: Executor,
        switched: Callable[[Generation, Build, Mapping[int, int]], None],
    ) -> None:
        """Fill *generation*, its collections in *threads*; *switched* is told that it is live now, what was before, and how far it is."""
        self._database = database
        self._catalog = catalog
        self._generation = generation
        self._threads = threads
        self._switched = switched
        self._lock = threading.Lock()
        self._checkpoints: dict[int, Checkpoint] = {0: Checkpoint()}

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
        self._generation.check(grouped)
        with self._lock, translated():
            if self._catalog.one(self._name).building != self._generation.build:
                raise self._ended()
            at_once(self._threads, self._generation.tasks(grouped))
            if sequence >= self._reached(partition):
                self._checkpoints[partition] = Checkpoint(sequence=sequence, place=place)

    def switch(self) -> None:
        """Let readers see this build; raise ValueError where it has ended or is behind the live one."""
        build = self._generation.build
        with self._lock, translated():
            before = self._catalog.one(self._name)
            # A partition that this build has read nothing of must be compared, too.
            checkpoints = {partition: Checkpoint() for partition in before.checkpoints} | self._checkpoints
            if not self._catalog.switch(self._name, build, checkpoints):
                raise self._refused()
            upto = {partition: checkpoint.sequence for partition, checkpoint in checkpoints.items()}
            self._switched(self._generation, before.build, upto)

    def cancel(self) -> None:
        """Drop this build, unless it has ended."""
        with self._lock, translated():
            if self._catalog.cancel(self._name, self._generation.build):
                schema.drop(self._database, self._generation.model, self._generation.build)

    @property
    def _name(self) -> str:
        return self._generation.model.name

    def _refused(self) -> ValueError:
        live = self._catalog.one(self._name)
        if live.building != self._generation.build:
            return self._ended()
        if live.build.version > self._generation.build.version:
            return ValueError(f"version {live.build.version} of {self._name} is live, this build is older")
        mine, theirs = next(
            (
                (self._reached(partition), checkpoint.sequence)
                for partition, checkpoint in live.checkpoints.items()
                if checkpoint.sequence > self._reached(partition)
            ),
            (self._reached(0), live.checkpoint().sequence),
        )
        return ValueError(f"the build of {self._name} is at {mine}, the live one at {theirs}")

    def _reached(self, partition: int) -> int:
        return self._checkpoints.get(partition, Checkpoint()).sequence

    def _ended(self) -> ValueError:
        return ValueError(f"this build of {self._name} has ended")
