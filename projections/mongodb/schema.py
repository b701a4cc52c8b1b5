"""The store's own collections and those of generations: create them, and drop those that no query reads."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from pymongo import IndexModel
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from projections.model import Collection, ReadModel
from projections.mongodb.dead_letters import DEAD_LETTERS
from projections.mongodb.documents import index_keys, sparse_keys
from projections.mongodb.model_registry import GenerationId, ModelEntry, collection_name
from projections.writes import Document

RETIRED = "retired"
GRACE_SECONDS = 60.0
"""How long a collection stays when it is no longer live: longer than readers rely on what they read last."""

_GENERATION = re.compile(r".+_v\d+_g\d+")
_NAME = re.compile(r"[a-z][a-z_]*")
_NO_TEXT_INDEX = 67  # CannotCreateIndex


def create_own(database: Database[Document]) -> None:
    """Create the indexes of the store's own collections."""
    database[DEAD_LETTERS].create_indexes([IndexModel([("model", 1), ("sequence", 1)])])
    database[RETIRED].create_indexes([IndexModel([("at", 1)])])


def create(database: Database[Document], model: ReadModel, generation: GenerationId) -> None:
    """Create the collections of a generation, and the indexes that are missing.

    Call it only after the registry names the generation: collections that it does not name may be dropped.
    """
    for collection in model.collections:
        if not _NAME.fullmatch(collection.name):
            raise ValueError(f"not a collection name: {collection.name}")
        stored = database[collection_name(collection.name, generation)]
        indexes = [IndexModel(keys) for keys in index_keys(collection)]
        indexes += [
            IndexModel(keys, partialFilterExpression={keys[-2][0]: {"$exists": True}})
            for keys in sparse_keys(collection)
        ]
        if indexes:
            stored.create_indexes(indexes)
        if collection.text:
            _create_text(stored, collection)


def _create_text(stored: MongoCollection[Document], collection: Collection) -> None:
    """Create the text index for people and tools, if the server can; the store's own search needs none."""
    try:
        stored.create_index(
            [(field, "text") for field in collection.text], name="text", default_language="none"
        )
    except OperationFailure as error:
        if error.code != _NO_TEXT_INDEX:
            raise


def drop(database: Database[Document], model: ReadModel, generation: GenerationId) -> None:
    """Drop the collections of a generation that no query reads."""
    for collection in model.collections:
        database.drop_collection(collection_name(collection.name, generation))


def retire(database: Database[Document], names: Iterable[str]) -> None:
    """Mark collections that are no longer live; `sweep` drops them when no reader relies on them any more."""
    now = _now(database)
    for name in names:
        database[RETIRED].update_one({"_id": name}, {"$setOnInsert": {"at": now}}, upsert=True)


def sweep(
    database: Database[Document],
    models: Iterable[ReadModel],
    entries: Callable[[], dict[str, ModelEntry]],
) -> None:
    """Retire the collections of *models* that are neither live nor being built; drop those retired long ago.

    The entries are read after the names: a collection that no entry names then will never be named.
    """
    ended = _now(database) - timedelta(seconds=GRACE_SECONDS)
    retired = {raw["_id"]: raw["at"] for raw in database[RETIRED].find()}
    names = [name for name in database.list_collection_names() if _GENERATION.fullmatch(name)]
    known = entries()
    ours = {collection.name: model.name for model in models for collection in model.collections}
    for name in names:
        if (model := ours.get(name.rpartition("_v")[0])) is None or _is_known(name, known.get(model)):
            continue
        if name not in retired:
            retire(database, [name])
        elif retired[name] < ended:
            database.drop_collection(name)
            database[RETIRED].delete_one({"_id": name})


def _is_known(name: str, entry: ModelEntry | None) -> bool:
    """Return whether *name* belongs to a generation that is live or being built."""
    if entry is None:
        return True
    generations = (entry.live, entry.building)
    return any(each is not None and name.endswith(collection_name("", each)) for each in generations)


def _now(database: Database[Document]) -> datetime:
    """Return the server's time, for the clocks of processes differ."""
    now: datetime = database.client.admin.command("hello")["localTime"]
    return now
