"""The store's own collections and those of generations: made where they are missing, dropped when nobody reads them."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from pymongo import IndexModel
from pymongo.collection import Collection as Stored
from pymongo.database import Database
from pymongo.errors import OperationFailure

from projections.model import Collection, ReadModel
from projections.mongodb.dead_letters import DEAD_LETTERS
from projections.mongodb.documents import index_keys
from projections.mongodb.model_registry import Build, Live, collection_name
from projections.writes import Document

RETIRED = "retired"
GRACE_SECONDS = 60.0
"""How long a collection stays when it is no longer live: longer than any reader relies on what it saw last."""

_GENERATION = re.compile(r".+_v\d+_g\d+")
_NAME = re.compile(r"[a-z][a-z_]*")
_NO_TEXT_INDEX = 67  # CannotCreateIndex


def create_own(database: Database[Document]) -> None:
    """Make the indexes of the store's own collections."""
    database[DEAD_LETTERS].create_indexes([IndexModel([("model", 1), ("sequence", 1)])])
    database[RETIRED].create_indexes([IndexModel([("at", 1)])])


def create(database: Database[Document], model: ReadModel, build: Build) -> None:
    """Make the collections of a build, and the indexes that are missing.

    Collections are only made once the catalog names their build: what it does not name may be dropped.
    """
    for collection in model.collections:
        if not _NAME.fullmatch(collection.name):
            raise ValueError(f"not a collection name: {collection.name}")
        stored = database[collection_name(collection.name, build)]
        indexes = [IndexModel(keys) for keys in index_keys(collection)]
        if indexes:
            stored.create_indexes(indexes)
        if collection.text:
            _create_text(stored, collection)


def _create_text(stored: Stored[Document], collection: Collection) -> None:
    """Make the text index, for people and tools, where the server can; our own search does not need it."""
    try:
        stored.create_index(
            [(field, "text") for field in collection.text], name="text", default_language="none"
        )
    except OperationFailure as error:
        if error.code != _NO_TEXT_INDEX:
            raise


def drop(database: Database[Document], model: ReadModel, build: Build) -> None:
    """Drop the collections of a build that nobody reads."""
    for collection in model.collections:
        database.drop_collection(collection_name(collection.name, build))


def retire(database: Database[Document], names: Iterable[str]) -> None:
    """Have collections dropped when readers that still know them have ended."""
    now = _now(database)
    for name in names:
        database[RETIRED].update_one({"_id": name}, {"$setOnInsert": {"at": now}}, upsert=True)


def sweep(
    database: Database[Document], models: Iterable[ReadModel], live: Callable[[], dict[str, Live]]
) -> None:
    """Retire the collections of *models* that are neither live nor built, and drop those whose time is over.

    What is live is read after the names: a name that the catalog does not know then, it will never know.
    """
    ended = _now(database) - timedelta(seconds=GRACE_SECONDS)
    retired = {found["_id"]: found["at"] for found in database[RETIRED].find()}
    names = [name for name in database.list_collection_names() if _GENERATION.fullmatch(name)]
    known = live()
    ours = {collection.name: model.name for model in models for collection in model.collections}
    for name in names:
        if (model := ours.get(name.rpartition("_v")[0])) is None or _is_known(name, known.get(model)):
            continue
        if name not in retired:
            retire(database, [name])
        elif retired[name] < ended:
            database.drop_collection(name)
            database[RETIRED].delete_one({"_id": name})


def _is_known(name: str, live: Live | None) -> bool:
    """Tell whether *name* belongs to a build that is live or under way."""
    if live is None:
        return True
    builds = (live.build, live.building)
    return any(build is not None and name.endswith(collection_name("", build)) for build in builds)


def _now(database: Database[Document]) -> datetime:
    """Return the server's time: the clocks of processes differ."""
    at: datetime = database.client.admin.command("hello")["localTime"]
    return at
