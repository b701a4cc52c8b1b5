"""What the store knows of its models: one document each, with live generation, checkpoints and rebuild.

Every change is one guarded update, so that processes that change a document at the same time do not undo each
other's changes. The checkpoint of the first partition stands in the document's own fields, those of other
partitions in `others`, by partition.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from msgspec import Struct
from pymongo import ReadPreference, ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from projections.model import ReadModel
from projections.store import Checkpoint, NewerModelError
from projections.writes import Document

ALIASES = "aliases"
_OTHERS = "others"

ModelPartition = tuple[str, int]
"""A model's name and a partition."""


class GenerationId(NamedTuple):
    """A generation of a model: the version, and a number that no other generation of the model has."""

    version: int
    generation: int


class ModelEntry(Struct, frozen=True, kw_only=True):
    """A model's live generation, the checkpoints that it has by partition, and the rebuild under way."""

    live: GenerationId
    checkpoints: Mapping[int, Checkpoint]
    building: GenerationId | None

    def checkpoint(self, partition: int = 0) -> Checkpoint:
        """Return the checkpoint in *partition*; without one, the model is at the start."""
        return self.checkpoints.get(partition, Checkpoint())


def collection_name(collection: str, generation: GenerationId) -> str:
    """Return the name of a collection in a generation, such as `projects_v3_g2`."""
    return f"{collection}_v{generation.version}_g{generation.generation}"


class ModelRegistry:
    """The entries of one database."""

    def __init__(self, database: Database[Document]) -> None:
        """Read entries for readers from any node, and those that decisions depend on from the primary."""
        self._aliases = database[ALIASES]
        self._primary = self._aliases.with_options(read_preference=ReadPreference.PRIMARY)

    def entries(self, session: ClientSession | None = None) -> dict[str, ModelEntry]:
        """Return every entry, by the model's name."""
        aliases = self._aliases if session is not None else self._primary
        return {raw["_id"]: _entry(raw) for raw in aliases.find({}, session=session)}

    def entry(self, model: str) -> ModelEntry:
        """Return the entry of a prepared model."""
        raw = self._primary.find_one({"_id": model})
        if raw is None:
            raise ValueError(f"{model} is not prepared")
        return _entry(raw)

    def claim(self, model: ReadModel) -> bool:
        """Register *model*; return whether an older live version was replaced by an empty generation.

        Of several processes that do so at the same time, one succeeds.
        """
        first = {**_fields(GenerationId(model.version, 1), {}), "last": 1, "building": None}
        with suppress(DuplicateKeyError):  # another process was first
            self._aliases.update_one({"_id": model.name}, {"$setOnInsert": first}, upsert=True)
        if self.entry(model.name).live.version >= model.version:
            return False
        generation = GenerationId(model.version, self._reserve(model.name))
        older = {"_id": model.name, "version": {"$lt": model.version}}
        result = self._aliases.update_one(older, {"$set": _fields(generation, {})})
        return result.matched_count == 1

    def move(self, checkpoints: Mapping[ModelPartition, tuple[GenerationId, Checkpoint]]) -> bool:
        """Move checkpoints of live generations forward; return whether all were moved.

        A checkpoint is not moved if the stored one is ahead, or if another generation is live.
        """
        if not checkpoints:
            return True
        moves = [
            UpdateOne(
                {
                    "_id": name,
                    "version": generation.version,
                    "generation": generation.generation,
                    **_not_beyond(partition, checkpoint.sequence),
                },
                {"$set": _checkpoint_fields(partition, checkpoint)},
            )
            for (name, partition), (generation, checkpoint) in checkpoints.items()
        ]
        return self._aliases.bulk_write(moves, ordered=False).matched_count == len(moves)

    def begin(self, model: ReadModel) -> tuple[GenerationId, GenerationId | None]:
        """Register a rebuild of *model*; return its generation, and that of the rebuild that it replaces.

        Raises NewerModelError.
        """
        live = self.entry(model.name).live
        if live.version > model.version:
            raise NewerModelError(
                f"version {live.version} of {model.name} is live, version {model.version} is older"
            )
        generation = GenerationId(model.version, self._reserve(model.name))
        before = self._primary.find_one_and_update(
            {"_id": model.name},
            {"$set": {"building": list(generation)}},
            return_document=ReturnDocument.BEFORE,
        )
        return generation, None if before is None else _generation(before["building"])

    def switch(self, model: str, generation: GenerationId, checkpoints: Mapping[int, Checkpoint]) -> bool:
        """Make *generation* the live one; return whether that was done.

        It is not done if its rebuild has ended, if a newer version is live, or if it is behind in any
        partition.
        """
        guard: Document = {
            "_id": model,
            "building": list(generation),
            "version": {"$lte": generation.version},
        }
        for partition, checkpoint in checkpoints.items():
            guard |= _not_beyond(partition, checkpoint.sequence)
        change = {"$set": {**_fields(generation, checkpoints), "building": None}}
        return self._aliases.update_one(guard, change).matched_count == 1

    def cancel(self, model: str, generation: GenerationId) -> bool:
        """End the rebuild *generation*; return whether it was still under way."""
        guard = {"_id": model, "building": list(generation)}
        return self._aliases.update_one(guard, {"$set": {"building": None}}).matched_count == 1

    def _reserve(self, model: str) -> int:
        """Return a number that no generation of *model* ever had."""
        raw = self._primary.find_one_and_update(
            {"_id": model}, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER
        )
        if raw is None:
            raise ValueError(f"{model} is not prepared")
        return int(raw["last"])


def foremost(checkpoints: Iterable[tuple[ModelPartition, Checkpoint]]) -> dict[ModelPartition, Checkpoint]:
    """Return the furthest checkpoint of each model in each partition; of equal ones the last."""
    furthest: dict[ModelPartition, Checkpoint] = {}
    for key, checkpoint in checkpoints:
        if key not in furthest or checkpoint.sequence >= furthest[key].sequence:
            furthest[key] = checkpoint
    return furthest


def _fields(generation: GenerationId, checkpoints: Mapping[int, Checkpoint]) -> Document:
    others = {
        str(partition): _stored(checkpoint) for partition, checkpoint in checkpoints.items() if partition
    }
    first = _stored(checkpoints.get(0, Checkpoint()))
    return {"version": generation.version, "generation": generation.generation, **first, _OTHERS: others}


def _checkpoint_fields(partition: int, checkpoint: Checkpoint) -> Document:
    return {f"{_OTHERS}.{partition}": _stored(checkpoint)} if partition else _stored(checkpoint)


def _not_beyond(partition: int, sequence: int) -> Document:
    """Return the condition that the checkpoint of *partition*, if there is one, is not above *sequence*."""
    if partition:
        return {f"{_OTHERS}.{partition}.sequence": {"$not": {"$gt": sequence}}}
    return {"sequence": {"$lte": sequence}}


def _stored(checkpoint: Checkpoint) -> Document:
    return {
        "sequence": checkpoint.sequence,
        "blocked": sorted(checkpoint.blocked),
        "place": checkpoint.resume_at,
    }


def _entry(raw: Document) -> ModelEntry:
    others = raw.get(_OTHERS) or {}  # entries of older releases have none
    checkpoints = {int(partition): _checkpoint(fields) for partition, fields in others.items()}
    return ModelEntry(
        live=GenerationId(raw["version"], raw["generation"]),
        checkpoints={0: _checkpoint(raw), **checkpoints},
        building=_generation(raw["building"]),
    )


def _checkpoint(raw: Document) -> Checkpoint:
    return Checkpoint(
        sequence=raw["sequence"], blocked=frozenset(raw["blocked"]), resume_at=bytes(raw["place"])
    )


def _generation(numbers: Sequence[int] | None) -> GenerationId | None:
    return None if numbers is None else GenerationId(*numbers)
