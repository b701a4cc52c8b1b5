"""The rebuild of a read model next to the live one."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from pymongo.database import Database

from projections.fold import GroupedWrites, group
from projections.mongodb import schema
from projections.mongodb.connection import translated
from projections.mongodb.model_registry import GenerationId, ModelRegistry
from projections.mongodb.writer import GenerationWriter, run_all
from projections.store import Checkpoint
from projections.writes import Document, Write

Switched = Callable[[GenerationWriter, GenerationId, Mapping[int, int]], None]
"""Gets the generation that is live now, the one that was live before, and the sequences by partition."""


class MongoRebuild:
    """Fill a generation that no query reads yet. The registry says whether it may still be filled."""

    def __init__(
        self,
        database: Database[Document],
        registry: ModelRegistry,
        generation: GenerationWriter,
        threads: Executor,
        switched: Switched,
    ) -> None:
        """Fill the collections of *generation* in *threads*; call *switched* after the switch."""
        self._database = database
        self._registry = registry
        self._generation = generation
        self._threads = threads
        self._switched = switched
        self._lock = threading.Lock()
        self._checkpoints: dict[int, Checkpoint] = {0: Checkpoint()}

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
        self._generation.check(grouped)
        with self._lock, translated():
            if self._registry.entry(self._name).building != self._generation.id:
                raise self._ended()
            run_all(self._threads, self._generation.tasks(grouped))
            if sequence >= self._reached(partition):
                self._checkpoints[partition] = Checkpoint(sequence=sequence, resume_at=resume_at)

    def switch(self) -> None:
        """Make this generation the live one; raises ValueError if it has ended or is behind the live one."""
        with self._lock, translated():
            before = self._registry.entry(self._name)
            # Also a partition of which this rebuild has read nothing must be compared.
            checkpoints = {partition: Checkpoint() for partition in before.checkpoints} | self._checkpoints
            if not self._registry.switch(self._name, self._generation.id, checkpoints):
                raise self._refusal()
            through = {partition: checkpoint.sequence for partition, checkpoint in checkpoints.items()}
            self._switched(self._generation, before.live, through)

    def cancel(self) -> None:
        """Drop this generation, unless the rebuild has ended."""
        with self._lock, translated():
            if self._registry.cancel(self._name, self._generation.id):
                schema.drop(self._database, self._generation.model, self._generation.id)

    @property
    def _name(self) -> str:
        return self._generation.model.name

    def _refusal(self) -> ValueError:
        """Return why the registry refused the switch."""
        entry = self._registry.entry(self._name)
        if entry.building != self._generation.id:
            return self._ended()
        if entry.live.version > self._generation.id.version:
            return ValueError(f"version {entry.live.version} of {self._name} is live, this rebuild is older")
        built, reached = next(
            (
                (self._reached(partition), checkpoint.sequence)
                for partition, checkpoint in entry.checkpoints.items()
                if checkpoint.sequence > self._reached(partition)
            ),
            (self._reached(0), entry.checkpoint().sequence),
        )
        return ValueError(f"the rebuild of {self._name} is at {built}, the live model at {reached}")

    def _reached(self, partition: int) -> int:
        return self._checkpoints.get(partition, Checkpoint()).sequence

    def _ended(self) -> ValueError:
        return ValueError(f"this rebuild of {self._name} has ended")
