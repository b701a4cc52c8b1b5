"""What the store knows of its models: one document each with the live generation, the checkpoint, and the build.

Every change to it is one guarded update, so that processes that change it at once do not undo each other's. The
checkpoint of the first partition stands in the document's own fields, those of others in `others`, by partition.
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

Place = tuple[str, int]
"""A model and a partition."""


class Build(NamedTuple):
    """A generation of a model, by its numbers."""

    version: int
    generation: int


class Live(Struct, frozen=True, kw_only=True):
    """What is live of a model, its checkpoint in each partition that it has one in, and the build beside it."""

    build: Build
    checkpoints: Mapping[int, Checkpoint]
    building: Build | None

    def checkpoint(self, partition: int = 0) -> Checkpoint:
        """Return the checkpoint in *partition*; where there is none, it is at the start."""
        return self.checkpoints.get(partition, Checkpoint())


def collection_name(collection: str, build: Build) -> str:
    """Name a collection of a build, such as `projects_v3_g2`."""
    return f"{collection}_v{build.version}_g{build.generation}"


class Catalog:
    """The aliases of one database."""

    def __init__(self, database: Database[Document]) -> None:
        """Read what may be cached from any node, and what is decided upon from the primary."""
        self._aliases = database[ALIASES]
        self._primary = self._aliases.with_options(read_preference=ReadPreference.PRIMARY)

    def live(self, session: ClientSession | None = None) -> dict[str, Live]:
        """Return what is live, by the model's name."""
        aliases = self._aliases if session is not None else self._primary
        return {found["_id"]: _live(found) for found in aliases.find({}, session=session)}

    def one(self, model: str) -> Live:
        """Return what is live of a prepared model."""
        found = self._primary.find_one({"_id": model})
        if found is None:
            raise ValueError(f"{model} is not prepared")
        return _live(found)

    def claim(self, model: ReadModel) -> bool:
        """Make *model* known, or begin its version anew where an older one is live; tell whether the latter was done.

        Of several processes that do so at once, one does.
        """
        first = {**_fields(Build(model.version, 1), {}), "last": 1, "building": None}
        with suppress(DuplicateKeyError):  # another process was first
            self._aliases.update_one({"_id": model.name}, {"$setOnInsert": first}, upsert=True)
        if self.one(model.name).build.version >= model.version:
            return False
        build = Build(model.version, self._reserve(model.name))
        older = {"_id": model.name, "version": {"$lt": model.version}}
        done = self._aliases.update_one(older, {"$set": _fields(build, {})})
        return done.matched_count == 1

    def move(self, checkpoints: Mapping[Place, tuple[Build, Checkpoint]]) -> bool:
        """Move checkpoints of builds forward; tell whether all were moved, none being ahead or of another build."""
        if not checkpoints:
            return True
        moves = [
            UpdateOne(
                {
                    "_id": name,
                    "version": build.version,
                    "generation": build.generation,
                    **_not_beyond(partition, checkpoint.sequence),
                },
                {"$set": _checkpoint_fields(partition, checkpoint)},
            )
            for (name, partition), (build, checkpoint) in checkpoints.items()
        ]
        return self._aliases.bulk_write(moves, ordered=False).matched_count == len(moves)

    def begin(self, model: ReadModel) -> tuple[Build, Build | None]:
        """Name a new build of *model*, and the unfinished one that it takes the place of; raise NewerModelError."""
        if (live := self.one(model.name).build.version) > model.version:
            raise NewerModelError(f"version {live} of {model.name} is live, version {model.version} is older")
        build = Build(model.version, self._reserve(model.name))
        before = self._primary.find_one_and_update(
            {"_id": model.name}, {"$set": {"building": list(build)}}, return_document=ReturnDocument.BEFORE
        )
        return build, None if before is None else _build(before["building"])

    def switch(self, model: str, build: Build, checkpoints: Mapping[int, Checkpoint]) -> bool:
        """Make *build* the live one; tell whether it was still being built, not outdated and in no partition behind."""
        guard: Document = {"_id": model, "building": list(build), "version": {"$lte": build.version}}
        for partition, checkpoint in checkpoints.items():
            guard |= _not_beyond(partition, checkpoint.sequence)
        change = {"$set": {**_fields(build, checkpoints), "building": None}}
        return self._aliases.update_one(guard, change).matched_count == 1

    def cancel(self, model: str, build: Build) -> bool:
        """End *build*; tell whether it was still being built."""
        guard = {"_id": model, "building": list(build)}
        return self._aliases.update_one(guard, {"$set": {"building": None}}).matched_count == 1

    def _reserve(self, model: str) -> int:
        """Return a number that no generation of *model* ever had."""
        found = self._primary.find_one_and_update(
            {"_id": model}, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER
        )
        if found is None:
            raise ValueError(f"{model} is not prepared")
        return int(found["last"])


def foremost(changes: Iterable[tuple[Place, Checkpoint]]) -> dict[Place, Checkpoint]:
    """Return the checkpoint that changes to models lead to; of equal ones the last."""
    found: dict[Place, Checkpoint] = {}
    for place, checkpoint in changes:
        if place not in found or checkpoint.sequence >= found[place].sequence:
            found[place] = checkpoint
    return found


def _fields(build: Build, checkpoints: Mapping[int, Checkpoint]) -> Document:
    others = {str(at): _stored(checkpoint) for at, checkpoint in checkpoints.items() if at}
    first = _stored(checkpoints.get(0, Checkpoint()))
    return {"version": build.version, "generation": build.generation, **first, _OTHERS: others}


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
        "place": checkpoint.place,
    }


def _live(found: Document) -> Live:
    others = found.get(_OTHERS) or {}  # what an older release wrote has none
    checkpoints = {int(partition): _checkpoint(fields) for partition, fields in others.items()}
    return Live(
        build=Build(found["version"], found["generation"]),
        checkpoints={0: _checkpoint(found), **checkpoints},
        building=_build(found["building"]),
    )


def _checkpoint(found: Document) -> Checkpoint:
    return Checkpoint(
        sequence=found["sequence"], blocked=frozenset(found["blocked"]), place=bytes(found["place"])
    )


def _build(numbers: Sequence[int] | None) -> Build | None:
    return None if numbers is None else Build(*numbers)
